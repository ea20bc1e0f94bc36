/** The catalogue: prices, stock and new products without a reload, and short addresses for filters. */
import { keepListLive } from './live-list.js';

keepListLive({ belongs: ({ status }) => status });

// On a narrow screen the categories are one line that scrolls.
document.querySelector('.stalls [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

const filters = document.querySelector('form[data-filters]');
if (filters instanceof HTMLFormElement) {
  filters.addEventListener('formdata', ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === '') formData.delete(name);
  });
  for (const field of filters.querySelectorAll('select, [type=checkbox]'))
    field.addEventListener('change', () => filters.requestSubmit());
}

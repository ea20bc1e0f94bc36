/** The catalogue: prices, stock and new products without a reload, and short addresses for filters. */
import { keepListLive } from './live-list.js';

keepListLive({ belongs: ({ status }) => status });

const filters = document.querySelector('form[data-filters]');
if (filters instanceof HTMLFormElement) {
  filters.addEventListener('formdata', ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === '') formData.delete(name);
  });
  filters.querySelector('select')?.addEventListener('change', () => filters.requestSubmit());
}

/** Buttons that copy a field. Where there is no clipboard to write into they stay hidden: the field can be selected. */
import { announce } from './announce.js';

const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('button[data-copy]'));
for (const button of navigator.clipboard ? buttons : []) {
  const field = document.getElementById(button.dataset.copy ?? '');
  if (!(field instanceof HTMLInputElement)) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    field.select();
    await navigator.clipboard.writeText(field.value).then(
      () => announce('Copied.'),
      () => announce('The browser does not allow it. The field is selected: copy it yourself.'),
    );
  });
}

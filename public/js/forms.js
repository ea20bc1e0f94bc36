/**
 * On every page: a form that is on its way is not sent again. Back from the next page it can be, and where no answer
 * has come for long.
 */
const PATIENCE_MS = 30_000;

// On the window, after the listeners of the page: what they send by themselves is not meant.
addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.getAttribute('method') !== 'post') return;
  if ('sent' in form.dataset) return event.preventDefault();
  form.dataset.sent = '';
  submitter?.setAttribute('aria-busy', 'true');
  setTimeout(() => release(form), PATIENCE_MS);
});

addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form')) release(form);
});

/** @param {HTMLFormElement} form */
function release(form) {
  if (!('sent' in form.dataset)) return;
  delete form.dataset.sent;
  // Buttons of the form may stand outside of it.
  for (const field of form.elements) if (field.localName === 'button') field.removeAttribute('aria-busy');
}

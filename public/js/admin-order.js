/** One order for staff: what happens to it is told at once, and the sum of a refund is counted while it is chosen. */
import { socket } from './socket.js';

const page = document.querySelector('[data-order]');
if (page instanceof HTMLElement) {
  const { order: id = '', version } = page.dataset;
  const look = (/** @type {{ id: string, version: number }} */ order) => {
    if (order.id !== id || order.version <= Number(version)) return;
    // What is being typed is not taken away.
    if ('typed' in page.dataset || isTouched()) document.querySelector('[data-changed]')?.removeAttribute('hidden');
    else location.replace(`/admin/orders/${encodeURIComponent(id)}`);
  };
  socket.on('order:changed', look);
  socket.on('connect', () =>
    socket.emit('order:watch', { id }, (answer) => 'data' in answer && answer.data && look(answer.data)),
  );
}

function isTouched() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (
    page?.querySelectorAll('form input:not([type="hidden"])')
  );
  return [...fields].some((field) =>
    field.type === 'checkbox' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
  );
}

const form = /** @type {HTMLFormElement | null} */ (document.querySelector('[data-refund]'));
let asked = 0;
let timer = 0;
form?.querySelector('[data-refund-ask]')?.setAttribute('hidden', '');
form?.addEventListener('input', () => {
  clearTimeout(timer);
  timer = window.setTimeout(() => showSum(form), 250);
});

/** The server counts: it knows what a fraction of a unit falls to. @param {HTMLFormElement} form */
async function showSum(form) {
  const turn = ++asked;
  // @ts-expect-error: all fields of the form are texts.
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(`${form.getAttribute('action')}/sum`, { method: 'POST', body }).catch(() => null);
  const page = new DOMParser().parseFromString((await answer?.text()) ?? '', 'text/html');
  const told = answer?.ok
    ? page.querySelector('[data-refund-sum]')?.textContent
    : page.querySelector('.account-problem')?.textContent;
  const sum = form.querySelector('[data-refund-sum]');
  if (sum && turn === asked) sum.textContent = told?.trim() ?? '';
}

/** Short notices for eyes and screen readers. */

const SHOWN_MS = 6000;

const toast = document.querySelector('[data-announce]');
let timer = 0;

/** Shows one line of text at the foot of the window for some seconds. @param {string} text */
export function announce(text) {
  if (!toast) return;
  clearTimeout(timer);
  toast.textContent = text;
  timer = window.setTimeout(() => {
    toast.textContent = '';
  }, SHOWN_MS);
}

/** Short notices for eyes and screen readers. */

const SHOWN_MS = 6000;

const toast = document.querySelector('[data-announce]');
let timer = 0;

/**
 * Shows one line of text at the foot of the window for some seconds, or until the next one.
 * @param {string} text @param {{ stays?: boolean }} [options]
 */
export function announce(text, { stays = false } = {}) {
  if (!toast) return;
  clearTimeout(timer);
  toast.textContent = text;
  if (stays) return;
  timer = window.setTimeout(() => {
    toast.textContent = '';
  }, SHOWN_MS);
}

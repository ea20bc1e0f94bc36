/**
 * The checkout follows what is chosen: the form is sent as its button "Show delivery and total" would send it, and the
 * parts of the page that it answers with replace those of before. What is typed stays.
 */
import { announce } from './announce.js';
import { socket } from './socket.js';

const ANSWER_LIMIT_MS = 10_000;
const PRICED_BY = new Set(['country', 'region', 'shippingMethod']);

const form = document.querySelector('form[data-checkout]');
if (form instanceof HTMLFormElement) follow(form);

/** @param {HTMLFormElement} form */
function follow(form) {
  form.dataset.live = '';
  let asked = 0;
  let last = Promise.resolve();
  const coupon = () => /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="coupon"]'));
  const country = () => form.querySelector('select')?.value;

  /**
   * One after the other, each with what the form holds now; the last answer is shown.
   * @param {string} what the value of the button @param {boolean} isPressed and not only followed
   */
  function ask(what, isPressed = false) {
    const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    body.set('do', what);
    // Half a code is no coupon.
    if (!isPressed) body.delete('coupon');
    part('summary', form)?.setAttribute('aria-busy', 'true');
    const mine = ++asked;
    last = last.then(() => send(mine, body, isPressed));
  }

  /** @param {number} mine @param {URLSearchParams} body @param {boolean} isPressed */
  async function send(mine, body, isPressed) {
    try {
      const answer = await fetch('/checkout', { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (mine !== asked) return;
      // Bought or emptied elsewhere, or logged out: the page says so.
      if (!part('summary', page)) return location.assign(answer.redirected ? answer.url : '/checkout');
      const typed = isPressed ? '' : coupon()?.value;
      replaceParts(form, page, isPressed);
      const anew = coupon();
      if (anew && typed) anew.value = typed;
      announce(`Total ${form.querySelector('[data-total]')?.textContent}.`);
    } catch {
      if (mine !== asked) return;
      part('summary', form)?.removeAttribute('aria-busy');
      announce('The shop did not answer. Try it again.');
    }
  }

  form.addEventListener('change', ({ target }) => {
    const field = /** @type {HTMLInputElement} */ (target);
    if (PRICED_BY.has(field.name) && country()) ask('price');
  });

  form.addEventListener('submit', (event) => {
    const button = event.submitter;
    const what = button instanceof HTMLButtonElement ? button.value : 'price';
    if (what === 'buy') return;
    event.preventDefault();
    ask(what, true);
  });

  socket.on('update_products', ({ id }) => {
    if (!('sent' in form.dataset) && country() && form.dataset.products?.split(' ').includes(id)) ask('price');
  });

  if (country() && part('summary', form)?.dataset.state === 'open') ask('price');
}

/** @param {string} name @param {ParentNode} root @returns {HTMLElement | null} */
function part(name, root) {
  return root.querySelector(`[data-part="${name}"]`);
}

/** @param {HTMLFormElement} form @param {Document} page @param {boolean} isPressed by a button, whose refusal takes the focus */
function replaceParts(form, page, isPressed) {
  const active = /** @type {HTMLInputElement | null} */ (document.activeElement);
  const isCoupon = active?.closest('.checkout-coupon');
  // Nobody is taken away from what they type.
  for (const element of page.querySelectorAll('[autofocus]')) element.removeAttribute('autofocus');
  for (const old of form.querySelectorAll('[data-part]')) {
    const anew = part(/** @type {HTMLElement} */ (old).dataset.part ?? '', page);
    if (anew) old.replaceWith(document.adoptNode(anew));
  }
  const isFree = part('summary', form)?.hasAttribute('data-is-free') ?? false;
  form.querySelector('[data-ways]')?.toggleAttribute('hidden', isFree);
  form.querySelector('[data-free]')?.toggleAttribute('hidden', !isFree);
  const problem = /** @type {HTMLElement | null} */ (form.querySelector('.cart-problem'));
  if (isPressed && problem) return problem.focus();
  if (!active || active.isConnected) return;
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll('input, button'));
  const same = [...fields].find(({ name, value }) => name === active.name && value === active.value);
  const other = isCoupon && form.querySelector('.checkout-coupon :is(input, button)');
  /** @type {HTMLElement | null | undefined} */ (other || same)?.focus();
}

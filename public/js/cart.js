/**
 * Adds to the cart without leaving the page: for every `form[data-add-to-cart]`. When the shop refuses, the form is sent
 * as it would be without this module, and the cart's page says what is the matter. When no answer comes, nobody knows
 * whether it was added, so it is not sent again.
 */

import { announce } from './announce.js';

/**
 * @typedef {object} Cart
 * @property {number} quantity
 * @property {{ productId: string, variantId: string | null, quantity: number, product: { title: string } }[]} items
 */

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches('[data-add-to-cart]')) return;
  event.preventDefault();
  const button = form.querySelector('button');
  if (button?.ariaBusy === 'true') return;
  button?.setAttribute('aria-busy', 'true');
  add(form)
    .catch(() => announce('The shop did not answer. Look into your cart before you try again.'))
    .finally(() => button?.removeAttribute('aria-busy'));
});

/** @param {HTMLFormElement} form */
async function add(form) {
  const fields = new FormData(form);
  const productId = String(fields.get('productId'));
  const variantId = String(fields.get('variantId') ?? '') || null;
  const quantity = Number(fields.get('quantity') ?? 1);
  const answer = await fetch(`/api/carts/mine/products/${encodeURIComponent(productId)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ quantity, variantId }),
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.ok) tell(/** @type {Cart} */ (await answer.json()), productId, variantId);
  else form.submit();
}

/**
 * @param {Cart} cart
 * @param {string} productId
 * @param {string | null} variantId
 */
function tell(cart, productId, variantId) {
  for (const count of document.querySelectorAll('[data-cart-count]')) count.textContent = String(cart.quantity);
  const item = cart.items.find((line) => line.productId === productId && line.variantId === variantId);
  if (item) announce(`${item.quantity} × ${item.product.title} in your cart.`);
}

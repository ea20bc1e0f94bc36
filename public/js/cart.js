/**
 * Adds to the cart without leaving the page: for every `form[data-add-to-cart]`. Whatever goes wrong, the form is sent
 * as it would be without this module, and the cart's page says what is the matter.
 */

/**
 * @typedef {object} Cart
 * @property {number} quantity
 * @property {{ productId: string, quantity: number, product: { title: string } }[]} items
 */

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches('[data-add-to-cart]')) return;
  event.preventDefault();
  const button = form.querySelector('button');
  if (button?.ariaBusy === 'true') return;
  button?.setAttribute('aria-busy', 'true');
  add(form)
    .catch(() => form.submit())
    .finally(() => button?.removeAttribute('aria-busy'));
});

/** @param {HTMLFormElement} form */
async function add(form) {
  const fields = new FormData(form);
  const productId = String(fields.get('productId'));
  const quantity = Number(fields.get('quantity') ?? 1);
  // The cookie cannot be seen from here; without a cart of the visitor's own the first address answers 404.
  const added = await send(`/api/carts/mine/products/${encodeURIComponent(productId)}`, { quantity });
  const answer = added.status === 404 ? await send('/api/carts', { items: [{ productId, quantity }] }) : added;
  if (!answer.ok) throw new Error(`The cart answered ${answer.status}.`);
  tell(/** @type {Cart} */ (await answer.json()), productId);
}

/**
 * @param {string} path
 * @param {object} body
 */
function send(path, body) {
  return fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
}

/**
 * @param {Cart} cart
 * @param {string} productId
 */
function tell(cart, productId) {
  for (const count of document.querySelectorAll('[data-cart-count]')) count.textContent = String(cart.quantity);
  const item = cart.items.find((line) => line.productId === productId);
  const region = document.querySelector('[data-announce]');
  if (region && item) region.textContent = `${item.quantity} × ${item.product.title} in your cart.`;
}

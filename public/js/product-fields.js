/** Writes a product into markup that the server has rendered: the same words as in src/view-engine.ts. */

/** @typedef {import('../../src/models/product.model.ts').ProductDto} ProductDto */

const FEW = 5;

/** Minor units as people read them. @param {number} minorUnits @param {string} currency */
export function money(minorUnits, currency) {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** @param {number} stock */
const stockLevel = (stock) => (stock <= 0 ? 'out' : stock <= FEW ? 'few' : 'in');

/** @param {number} stock */
export const stockText = (stock) => (stock <= 0 ? 'Sold out' : stock <= FEW ? `Only ${stock} left` : 'In stock');

/** @type {Record<string, (product: ProductDto) => string>} */
const TEXTS = {
  title: ({ title }) => title,
  description: ({ description }) => description,
  category: ({ category }) => category,
  code: ({ code }) => code,
  price: ({ price, currency, variants = [] }) =>
    `${variants.some((variant) => variant.price > price) ? 'from ' : ''}${money(price, currency)}`,
  listPrice: ({ listPrice, currency }) => (listPrice ? money(listPrice, currency) : ''),
  lowestPrice: ({ lowestPrice30Days: lowest, currency }) => (lowest ? money(lowest, currency) : ''),
  stock: ({ stock }) => stockText(stock),
  units: ({ stock }) => String(stock),
};

/**
 * Fills every `[data-field]` below `root`, as text, and marks the ones that change in sight.
 * @param {HTMLElement} root
 * @param {ProductDto} product
 */
export function fillProduct(root, product) {
  for (const element of root.querySelectorAll('[data-field]')) {
    const name = element.getAttribute('data-field') ?? '';
    if (name === 'picture') fillPicture(/** @type {HTMLImageElement} */ (element), product);
    else if (name === 'title' && element instanceof HTMLAnchorElement) element.href = `/products/${product.id}`;
    if (name === 'stock' || name === 'units') element.setAttribute('data-level', stockLevel(product.stock));
    const text = TEXTS[name]?.(product);
    if (text !== undefined && text !== element.textContent) {
      element.textContent = text;
      if (root.isConnected) mark(element);
    }
  }
  root.querySelector('[data-off]')?.toggleAttribute('hidden', product.status);
  root.querySelector('[data-reduced]')?.toggleAttribute('hidden', (product.lowestPrice30Days ?? null) === null);
  fillForm(root.querySelector('form[data-add-to-cart]'), product);
}

/**
 * Writes price and stock of each variant into the choice of the page.
 * @param {HTMLElement} root @param {ProductDto} product
 * @returns {boolean} false when the page offers others than the product has
 */
export function fillVariants(root, { variants = [], currency, status }) {
  const shown = [...root.querySelectorAll('[data-variant]')];
  const labels = shown.map(
    (label) => `${label.getAttribute('data-variant')} ${label.querySelector('span')?.textContent}`,
  );
  if (labels.join() !== variants.map(({ id, values }) => `${id} ${values.join(', ')}`).join()) return false;
  for (const [i, { price, stock }] of variants.entries()) {
    const label = shown[i];
    label?.querySelector('input')?.toggleAttribute('disabled', !status || stock <= 0);
    label?.querySelector('[data-variant-stock]')?.setAttribute('data-level', stockLevel(stock));
    setText(label?.querySelector('[data-variant-price]'), money(price, currency));
    setText(label?.querySelector('[data-variant-stock]'), stockText(stock));
  }
  return true;
}

/** @param {Element | null | undefined} element @param {string} text */
function setText(element, text) {
  if (!element || element.textContent === text) return;
  element.textContent = text;
  mark(element);
}

/** Shows for a moment that something is new. @param {Element} element */
export function mark(element) {
  element.classList.remove('just-changed');
  element.addEventListener('animationend', () => element.classList.remove('just-changed'), { once: true });
  requestAnimationFrame(() => element.classList.add('just-changed'));
}

/** @param {HTMLImageElement} image @param {ProductDto} product */
function fillPicture(image, { thumbnails, title }) {
  const address = thumbnails[0] ?? '/img/placeholder.webp';
  if (image.getAttribute('src') !== address) image.src = address;
  image.alt = title;
}

/** @param {HTMLFormElement | null} form @param {ProductDto} product */
function fillForm(form, { id, stock, status, variants = [] }) {
  if (!form) return;
  // A list leads to the product where something is to be chosen.
  const choose = form.parentElement?.querySelector('a[data-choose]');
  if (choose instanceof HTMLAnchorElement) {
    choose.href = `/products/${id}`;
    choose.hidden = variants.length === 0;
    form.hidden = variants.length > 0;
  }
  const field = (/** @type {string} */ name) => form.querySelector(`input[name="${name}"]`);
  field('productId')?.setAttribute('value', id);
  field('quantity')?.setAttribute('max', String(Math.max(stock, 1)));
  form.querySelector('button')?.toggleAttribute('disabled', !status || stock <= 0);
}

/** Keeps the list of products on a page up to date. Rows are made from the template that the server has rendered. */
import { followCatalogue } from './catalogue-feed.js';
import { fillProduct, mark } from './product-fields.js';

/** @typedef {import('../../src/models/product.model.ts').ProductDto} ProductDto */

const SELECTOR = '[data-live-list]';

/**
 * @param {object} options
 * @param {(product: ProductDto) => boolean} options.belongs does the page list products like this one?
 * @param {(state: 'live' | 'reconnecting') => void} [options.onState]
 */
export function keepListLive({ belongs, onState }) {
  const section = document.querySelector(SELECTOR);
  if (!(section instanceof HTMLElement)) return;
  let list = section;
  followCatalogue({
    since: Number(list.dataset.sequence),
    onState,
    onChange: (change) => applyChange(list, change, belongs(change.product)),
    onGap: async () => {
      list = await renderedAnew(list);
      return Number(list.dataset.sequence);
    },
  });
}

/** @param {HTMLElement} list @param {import('./catalogue-feed.js').Change} change @param {boolean} belongs */
function applyChange(list, { type, product }, belongs) {
  const row = list.querySelector(`[data-product="${CSS.escape(product.id)}"]`);
  const isListed = belongs && type !== 'deleted';
  if (row instanceof HTMLElement) {
    if (isListed) return fillProduct(row, product);
    row.remove();
    return addToTotal(list, -1);
  }
  // Whether another page of a filtered list has it is not known here.
  if (!('whole' in list.dataset) || !belongs) return;
  if (type === 'deleted') addToTotal(list, -1);
  if (type !== 'created') return;
  addToTotal(list, 1);
  if ('takesNew' in list.dataset) insert(list, product);
}

/** @param {HTMLElement} list @param {ProductDto} product */
function insert(list, product) {
  const template = list.querySelector('template[data-row-template]');
  const rows = list.querySelector('[data-rows]');
  const copy = template instanceof HTMLTemplateElement ? template.content.firstElementChild?.cloneNode(true) : null;
  if (!rows || !(copy instanceof HTMLElement)) return;
  copy.dataset.product = product.id;
  fillProduct(copy, product);
  rows.prepend(copy);
  mark(copy);
  while (rows.children.length > Number(list.dataset.limit)) rows.lastElementChild?.remove();
}

/** @param {HTMLElement} list @param {number} difference */
function addToTotal(list, difference) {
  const total = Math.max(0, Number(list.dataset.total) + difference);
  list.dataset.total = String(total);
  const text = list.querySelector('[data-total-text]');
  if (text) text.textContent = `${total} ${total === 1 ? 'product' : 'products'}`;
  list.querySelector('[data-empty]')?.toggleAttribute('hidden', list.querySelector('[data-rows] > *') !== null);
}

/** The list as the server renders it now, in place of this one. @param {HTMLElement} list */
async function renderedAnew(list) {
  const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const anew = page.querySelector(SELECTOR);
  if (!(anew instanceof HTMLElement)) return list;
  list.replaceWith(document.adoptNode(anew));
  return anew;
}

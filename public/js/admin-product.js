/**
 * A product that is being changed: who else has it open, and what they save meanwhile. The form carries the texts that
 * it was made from (`base`); what others have changed is found by reading the page again.
 */
import { announce } from './announce.js';
import { mark } from './product-fields.js';
import { socket } from './socket.js';

/** @typedef {Record<string, string>} Texts */

const form = /** @type {HTMLFormElement | null} */ (document.querySelector('form[data-editing]'));
if (form) edit(form);

/** @param {HTMLFormElement} form */
function edit(form) {
  const id = form.dataset.editing ?? '';
  const base = /** @type {HTMLInputElement} */ (form.elements.namedItem('base'));
  const news = document.querySelector('[data-news]');
  let known = Number(form.dataset.version);
  let people = '';
  /** @type {Texts} */
  let fresh = {};

  const hear = (/** @type {{ people: string[] }} */ editors) => {
    const names = editors.people.join(', ');
    if (names && names !== people)
      announce(`${names} ${editors.people.length > 1 ? 'have' : 'has'} opened this product.`);
    people = names;
    tell('[data-editors]', names && `${names} ${editors.people.length > 1 ? 'are' : 'is'} editing this product too.`);
  };

  const look = async (/** @type {number | undefined} */ version) => {
    if (!version || version <= known) return;
    known = version;
    const answer = await fetch(`/admin/products/${id}`);
    // To the login: it is told when the form is sent.
    if (answer.redirected) return;
    if (!answer.ok) return tell('[data-news] span', 'This product is not there any more.', news);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const stock = page.querySelector('[data-stock]');
    if (stock) document.querySelector('[data-stock]')?.replaceWith(stock);
    fresh = JSON.parse(page.querySelector('input[name="base"]')?.getAttribute('value') ?? '{}');
    const changed = differences(JSON.parse(base.value), fresh);
    const labels = changed.map((name) => labelOf(form, name));
    tell('[data-news] span', labels.length > 0 && `Somebody else has saved: ${[...new Set(labels)].join(', ')}.`, news);
  };

  socket.on('connect', () => {
    socket.emit('product:editing', { id }, (answer) => {
      if (!('data' in answer)) return;
      hear(answer.data);
      look(answer.data.version);
    });
  });
  socket.on('product:editors', (editors) => {
    if (editors.id !== id) return;
    hear(editors);
    look(editors.version);
  });
  // Saved by programs, or sold.
  socket.on('product:updated', ({ product }) => product.id === id && look(product.version));

  news?.querySelector('a')?.addEventListener('click', (event) => {
    const before = /** @type {Texts} */ (JSON.parse(base.value));
    const changed = differences(before, fresh);
    // Another shape of the form: only the page itself shows it.
    if (changed.some((name) => !(name in fresh) || !form.elements.namedItem(name))) return;
    event.preventDefault();
    const open = changed.filter((name) => !fill(form, name, before[name] ?? '', fresh[name] ?? ''));
    base.value = JSON.stringify({ ...fresh, ...Object.fromEntries(open.map((name) => [name, before[name] ?? ''])) });
    const labels = open.map((name) => labelOf(form, name)).join(', ');
    tell('[data-news] span', labels && `You have changed this too, and will be asked when you save: ${labels}.`, news);
    news.querySelector('a')?.toggleAttribute('hidden', open.length > 0);
  });
}

/** @param {string} selector @param {string | false} text @param {Element | null} [box] that is shown with it */
function tell(selector, text, box = document.querySelector(selector)) {
  const element = document.querySelector(selector);
  if (element) element.textContent = text || '';
  box?.toggleAttribute('hidden', !text);
}

/** @param {Texts} before @param {Texts} now */
const differences = (before, now) => Object.keys({ ...before, ...now }).filter((name) => before[name] !== now[name]);

/** What a field is called: by its label, in a table with the name of the row. @param {HTMLFormElement} form @param {string} name */
function labelOf(form, name) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof Element)) return 'the variants';
  const label = field.closest('label') ?? form.querySelector(`label[for="${field.id}"]`);
  const text = label?.firstChild?.textContent?.trim() || label?.textContent?.trim() || 'the options';
  const row = field.closest('li')?.querySelector('strong')?.firstChild?.textContent?.trim();
  return row ? `${text} of ${row}` : text;
}

/**
 * Writes what somebody else has saved into a field that was not touched here.
 * @param {HTMLFormElement} form @param {string} name @param {string} before @param {string} now
 * @returns {boolean} false when it was touched
 */
function fill(form, name, before, now) {
  const field = form.elements.namedItem(name);
  if (
    !(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)
  )
    return false;
  const isBox = field instanceof HTMLInputElement && field.type === 'checkbox';
  const typed = isBox ? (field.checked ? 'on' : '') : field.value;
  if (typed !== before && typed !== now) return false;
  if (isBox) field.checked = now === 'on';
  else field.value = now;
  mark(field);
  return true;
}

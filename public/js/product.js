/** One product: its price and stock, and those of its variants and of what goes with it, as they are now. */
import { announce } from './announce.js';
import { followCatalogue } from './catalogue-feed.js';
import { fillProduct, fillVariants, money, stockText } from './product-fields.js';

const article = document.querySelector('article[data-product]');
if (article instanceof HTMLElement) follow(article);

/** @param {HTMLElement} root */
function follow(root) {
  followCatalogue({
    since: Number(root.dataset.sequence),
    onChange: ({ type, product }) => {
      if (product.id !== root.dataset.product) return fillRelated(type === 'deleted', product);
      const isSold = type !== 'deleted' && product.status;
      const now = { ...product, status: isSold };
      // Other variants than the page has: rare.
      if (!fillVariants(root, now)) return location.reload();
      fillProduct(root, now);
      announce(
        isSold
          ? `Now ${money(product.price, product.currency)}. ${stockText(product.stock)}.`
          : 'This product is not for sale any more.',
      );
    },
    // Rare: after a week away, or hundreds of changes.
    onGap: async () => {
      location.reload();
      return Number.POSITIVE_INFINITY;
    },
  });
}

/** @param {boolean} isGone @param {import('../../src/models/product.model.ts').ProductDto} product */
function fillRelated(isGone, product) {
  const card = document.querySelector(`.related [data-product="${CSS.escape(product.id)}"]`);
  if (!(card instanceof HTMLElement)) return;
  if (isGone) card.remove();
  else fillProduct(card, product);
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');
// The picture of what is chosen comes into sight.
article?.addEventListener('change', ({ target }) => {
  const picture = target instanceof HTMLInputElement && target.dataset.picture;
  if (picture)
    article
      .querySelector(`[data-image="${CSS.escape(picture)}"]`)
      ?.scrollIntoView({ block: 'nearest', inline: 'start', behavior: calm.matches ? 'instant' : 'smooth' });
});

/** One product: its price and stock as they are now. */
import { announce } from './announce.js';
import { followCatalogue } from './catalogue-feed.js';
import { fillProduct, money, stockText } from './product-fields.js';

const article = document.querySelector('article[data-product]');
if (article instanceof HTMLElement) follow(article);

/** @param {HTMLElement} root */
function follow(root) {
  followCatalogue({
    since: Number(root.dataset.sequence),
    onChange: ({ type, product }) => {
      if (product.id !== root.dataset.product) return;
      const isSold = type !== 'deleted' && product.status;
      fillProduct(root, { ...product, status: isSold });
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

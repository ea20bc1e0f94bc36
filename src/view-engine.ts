/** Handlebars: layouts, partials, and the few pure helpers that views may use. */
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import { engine } from 'express-handlebars';

export const rootDir = fileURLToPath(new URL('..', import.meta.url));
const viewsDir = `${rootDir}views`;

/** With so many or fewer in stock, a product says how many are left. */
const FEW = 5;

const moneyFormats = new Map<string, Intl.NumberFormat>();

/** Minor units as people read them: `money(1999, 'EUR')` is €19.99. */
function money(minorUnits: number, currency: string): string {
  const known = moneyFormats.get(currency);
  const format = known ?? new Intl.NumberFormat('en', { style: 'currency', currency });
  if (!known) moneyFormats.set(currency, format);
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

const helpers = {
  money,
  /** 2026-11-21T08:00:00.000Z as "21 Nov 2026, 08:00". */
  dateTime: (iso: string) =>
    new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),
  eq: (a: unknown, b: unknown) => a === b,
  /** `in`, `few` or `out`; the browser has the same in public/js/product-fields.js. */
  stockLevel: (stock: number) => (stock <= 0 ? 'out' : stock <= FEW ? 'few' : 'in'),
  stockText: (stock: number) => (stock <= 0 ? 'Sold out' : stock <= FEW ? `Only ${stock} left` : 'In stock'),
  plural: (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`,
};

export function useHandlebars(app: Express): void {
  app.engine(
    'hbs',
    engine({
      extname: '.hbs',
      layoutsDir: `${viewsDir}/layouts`,
      partialsDir: `${viewsDir}/partials`,
      helpers,
      // Otherwise the lines of a text in a partial are indented with it.
      compilerOptions: { preventIndent: true },
    }),
  );
  app.set('view engine', 'hbs');
  app.set('views', viewsDir);
  app.enable('view cache');
}

/** Money in forms: people type 12.50 or 12,50; everything else counts in minor units. */

/** Two for what is no currency, which is told elsewhere. */
function digitsOf(currency: string): number {
  if (!/^[a-z]{3}$/i.test(currency)) return 2;
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** `moneyText(1250, 'EUR')` is 12.50; nothing is an empty text. */
export function moneyText(minorUnits: number | null, currency: string): string {
  const digits = digitsOf(currency);
  return minorUnits === null ? '' : (minorUnits / 10 ** digits).toFixed(digits);
}

/** In minor units; what is no sum of this currency stays a text, for a schema to refuse. */
export function moneyTyped(text: string, currency: string): number | string {
  const digits = digitsOf(currency);
  const [, whole, fraction = ''] = /^(\d{1,12})(?:[.,](\d{1,3}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return text;
  return Number(whole + fraction.padEnd(digits, '0'));
}

/** What is wrong with a sum, for the person who typed it: what the schema says, unless it is no sum at all. */
export const sumFault = (detail: string, text = '', currency = 'EUR') =>
  typeof moneyTyped(text, currency) === 'string' ? 'must be a sum such as 12.50' : detail;

/** The same of a number of things. */
export const countFault = (detail: string, text = '') => (/^\d+$/.test(text) ? detail : 'must be a whole number');

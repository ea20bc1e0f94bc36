import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { StringFold } from './key-encoding.ts';

const known = new Map<string, StringFold>();
const options = new Set([
  'locale',
  'strength',
  'caseLevel',
  'caseFirst',
  'numericOrdering',
  'alternate',
  'maxVariable',
  'normalization',
  'backwards',
  'version',
]);

/**
 * What a collation makes of a string before it is compared by its bytes; undefined for simple comparison. The same
 * collation gives the same function, so two can be compared by identity.
 * @throws MongoError for a locale or an option that is not supported.
 */
export function collationFold(collation: Document | undefined): StringFold | undefined {
  if (!collation || collation.locale === 'simple') return undefined;
  const locale = collation.locale;
  if (typeof locale !== 'string')
    throw new MongoError('BadValue', "BSON field 'collation.locale' is missing but a required field");
  for (const name of Object.keys(collation))
    if (!options.has(name))
      throw new MongoError('Location40415', `BSON field 'collation.${name}' is an unknown field.`);
  const strength = Number(collation.strength ?? 3);
  const numeric = Boolean(collation.numericOrdering);
  const id = `${locale}/${strength}/${numeric}/${Boolean(collation.caseLevel)}`;
  let fold = known.get(id);
  if (!fold) {
    fold = makeFold(locale.replace('_', '-'), strength, Boolean(collation.caseLevel), numeric);
    known.set(id, fold);
  }
  return fold;
}

function makeFold(locale: string, strength: number, caseLevel: boolean, numeric: boolean): StringFold {
  try {
    new Intl.Collator(locale);
  } catch {
    throw new MongoError('BadValue', `Field 'locale' is invalid in: { locale: "${locale}" }`);
  }
  // Base letters decide first; accents, then case, only break ties. Numbers get their length in front.
  const base = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase(locale);
  const accents = (text: string): string => text.normalize('NFD').toLocaleLowerCase(locale);
  const numbers = (text: string): string =>
    numeric
      ? text.replace(
          /\d+/g,
          (digits) =>
            `${String(digits.replace(/^0+(?=\d)/, '').length).padStart(3, '0')}${digits.replace(/^0+(?=\d)/, '')}`,
        )
      : text;
  const swapCase = (text: string): string =>
    text.replace(/\p{L}/gu, (letter) => (letter === letter.toLocaleLowerCase(locale) ? `\u0001` : `\u0002`));
  return (text) => {
    let key = numbers(base(text));
    if (strength >= 2) key += `\u0001${accents(text)}`;
    if (strength >= 3 || caseLevel) key += `\u0001${swapCase(text.normalize('NFD'))}`;
    return key;
  };
}

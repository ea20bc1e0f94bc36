/** JSON schemas as people read them: one row for each field, with its type in words. */

/** The part of JSON Schema that the document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  example?: unknown;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** A word of a type; `schema` when it is the name of one. */
export interface TypeWord {
  text: string;
  schema: boolean;
}

export interface Field {
  name: string;
  types: TypeWord[];
  required: boolean;
  /** As JSON; null when there is none. */
  fallback: string | null;
  description: string;
}

export const isReference = (value: object): value is { $ref: string } => '$ref' in value;

/** The name of the component that a schema refers to; null when it stands here itself. */
export const nameOf = ({ $ref }: Schema): string | null => $ref?.split('/').pop() ?? null;

/** The fields of an object, those of objects inside it as `images[].url`. */
export function fieldsOf(schema: Schema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = objectIn(field);
    const row = {
      name: prefix + name,
      types: fieldTypes(field),
      required: schema.required?.includes(name) ?? false,
      fallback: field.default === undefined ? null : JSON.stringify(field.default),
      description: field.description ?? '',
    };
    return inner ? [row, ...fieldsOf(inner, `${prefix}${name}${field.items ? '[]' : ''}.`)] : [row];
  });
}

/** The object with fields of its own that a field holds, alone, in a list, or beside null. */
function objectIn(field: Schema): Schema | undefined {
  return [field, ...(field.items ? [field.items] : []), ...(field.anyOf ?? [])].find(({ properties }) => properties);
}

/** The type in words: `list of`, `Product`. */
export function fieldTypes(schema: Schema): TypeWord[] {
  const name = nameOf(schema);
  if (name) return [{ text: name, schema: true }];
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.flatMap((option, i) => [...(i ? [word('or')] : []), ...fieldTypes(option)]);
  if (schema.const !== undefined) return [word(JSON.stringify(schema.const))];
  if (schema.enum) return [word(schema.enum.join(', '))];
  if (schema.items) return [word('list of'), ...fieldTypes(schema.items), ...bounds('', undefined, schema.maxItems)];
  const type = String(schema.format ?? schema.type ?? 'anything');
  if (schema.type === 'string') return [word(type), ...bounds(' characters', schema.minLength, schema.maxLength)];
  return [word(type), ...bounds('', schema.minimum, schema.maximum)];
}

const word = (text: string): TypeWord => ({ text, schema: false });

function bounds(unit: string, low: number | undefined, high: number | undefined): TypeWord[] {
  const format = (n: number) => n.toLocaleString('en');
  if (low !== undefined && high !== undefined) return [word(`${format(low)} to ${format(high)}${unit}`)];
  if (high !== undefined) return [word(`at most ${format(high)}${unit}`)];
  return low === undefined ? [] : [word(`at least ${format(low)}${unit}`)];
}

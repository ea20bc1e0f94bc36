/** What the page /docs shows, as plain objects made from the document. */
import { type ProblemCode, problemKinds, problemType } from '../problem-codes.ts';
import type { ApiDocument } from './document.ts';
import { type Field, fieldsOf, fieldTypes, isReference, nameOf, type Schema } from './schema-fields.ts';

type Operation = NonNullable<NonNullable<ApiDocument['paths']>[string]['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** A piece of a text: plain, code, or strong. */
interface Span {
  text: string;
  code: boolean;
  strong: boolean;
}

/** @param base the address of the server in the samples, without a slash at its end. */
export function toReaderModel(document: ApiDocument, base: string) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [toOperation(document, base, path, method, operation)] : [];
    }),
  );
  return {
    version: document.info.version,
    intro: (document.info.description ?? '').split(/\n{2,}/).map(spans),
    keys: ['key', 'cartSecret', 'chatToken'].flatMap((name) => toKey(document, name)),
    groups: (document.tags ?? []).map(({ name, description }) => ({
      name,
      id: name.toLowerCase(),
      description,
      operations: operations.filter(({ tag }) => tag === name),
    })),
    schemas: Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => ({
      name,
      description: (schema as Schema).description,
      fields: fieldsOf(schema as Schema),
    })),
  };
}

function toOperation(document: ApiDocument, base: string, path: string, method: string, operation: Operation) {
  const parameters = (operation.parameters ?? []).flatMap((parameter) => {
    if (isReference(parameter)) return [];
    const schema = (parameter.schema ?? {}) as Schema;
    return [
      {
        name: parameter.name,
        place: parameter.in,
        required: parameter.required ?? false,
        types: fieldTypes(schema),
        options: schema.enum,
        value: schema.default === undefined ? '' : String(schema.default),
        description: spans(parameter.description ?? ''),
      },
    ];
  });
  const body = toBody(operation);
  return {
    id: operation.operationId ?? '',
    tag: operation.tags?.[0] ?? '',
    method: method.toUpperCase(),
    path,
    summary: operation.summary ?? '',
    description: spans(operation.description ?? ''),
    access: (operation.security ?? []).flatMap((option) =>
      Object.keys(option).flatMap((name) => toKey(document, name)),
    ),
    parameters,
    body,
    ...toAnswers(operation),
    curl: curl(document, base, path, method, operation, body),
  };
}

function toKey(document: ApiDocument, name: string) {
  const scheme = document.components?.securitySchemes?.[name];
  if (!scheme || isReference(scheme)) return [];
  const header = scheme.type === 'http' ? 'Authorization' : (scheme.name ?? '');
  const bearer = name === 'key' ? 'Bearer key' : 'Bearer access token';
  const label = scheme.in === 'cookie' ? `cookie ${header}` : scheme.type === 'http' ? bearer : header;
  return [{ header, label, place: scheme.in ?? 'header', description: scheme.description }];
}

function toBody({ requestBody }: Operation) {
  if (!requestBody || isReference(requestBody)) return null;
  const [type = '', media] = Object.entries(requestBody.content)[0] ?? [];
  const schema = (media?.schema ?? {}) as Schema;
  return {
    type,
    required: requestBody.required ?? false,
    schema: nameOf(schema),
    fields: nameOf(schema) ? [] : fieldsOf(schema),
    multipart: type === 'multipart/form-data',
    example: media?.example === undefined ? '' : JSON.stringify(media.example, null, 2),
  };
}

/** Answers and, apart from them, refusals: the codes behind each status of 400 and more. */
function toAnswers({ responses = {} }: Operation) {
  const answers: { status: string; description: string; schema: string | null; headers: string[]; fields: Field[] }[] =
    [];
  const refusals: { status: string; codes: { code: string; title: string; href: string }[] }[] = [];
  for (const [status, response] of Object.entries(responses)) {
    if (isReference(response)) {
      const codes = (response.$ref.split('/').pop() ?? '').split('.') as ProblemCode[];
      const shown = codes.map((code) => ({ code, title: problemKinds[code].title, href: problemType(code) }));
      refusals.push({ status, codes: shown });
      continue;
    }
    const schema = (response.content?.['application/json']?.schema ?? {}) as Schema;
    answers.push({
      status,
      description: response.description,
      schema: nameOf(schema),
      headers: Object.keys(response.headers ?? {}).filter((name) => name !== 'X-Request-Id'),
      fields: nameOf(schema) ? [] : fieldsOf(schema),
    });
  }
  return { answers, refusals };
}

const SHELL_NAMES: Record<string, string> = { pid: '$PRODUCT_ID', cid: '$CART_ID' };

function curl(
  document: ApiDocument,
  base: string,
  path: string,
  method: string,
  operation: Operation,
  body: ReturnType<typeof toBody>,
): string {
  const address =
    base + path.replace(/\{(\w+)\}/g, (_all, name: string) => SHELL_NAMES[name] ?? `$${name.toUpperCase()}`);
  const [access] = Object.keys(operation.security?.[0] ?? {}).flatMap((name) => toKey(document, name));
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}"${address}"`];
  if (access?.header === 'Authorization') lines.push('-H "Authorization: Bearer $FEIRA_API_KEY"');
  else if (access) lines.push(`-H "${access.header}: $${access.header.toUpperCase().replaceAll('-', '_')}"`);
  if (body?.multipart) lines.push('-F file=@picture.jpg');
  else if (body?.example) {
    const text = JSON.stringify(JSON.parse(body.example)).replaceAll("'", `'\\''`);
    lines.push('-H "Content-Type: application/json"', `-d '${text}'`);
  }
  return lines.join(' \\\n  ');
}

/** The two marks that the document's texts use: `code` and **strong**. */
function spans(text: string): Span[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .filter((part) => part !== '')
    .map((part) => ({
      text: part.replace(/^(`|\*\*)(.*)\1$/s, '$2'),
      code: part.startsWith('`'),
      strong: part.startsWith('**'),
    }));
}

/** A page with one form, as data: shown empty, and shown again with what was typed and what is wrong with it. */
import type { Request, Response, Router } from 'express';
import { type Problem, problemText, toProblem } from '../errors.ts';

export interface FormField {
  name: string;
  label: string;
  type: 'text' | 'email' | 'tel' | 'password' | 'hidden' | 'select';
  autocomplete?: string;
  hint?: string;
  minlength?: number;
  maxlength?: number;
  optional?: boolean;
  /** What a select offers: values with their names. */
  options?: readonly (readonly [value: string, label: string])[];
}

export interface Form {
  title: string;
  intro?: string;
  fields: readonly FormField[];
  button: string;
  /** Where else somebody may have wanted to go. */
  links?: readonly { href: string; text: string }[];
  /** Where a passkey does instead of the form: the address at which it works, null when there is none. */
  passkeyOrigin?: () => string | null;
  /** What the fields hold when the page is opened. */
  current?: (req: Request) => Promise<Record<string, unknown>>;
}

/** Longer texts are not shown again. */
const MAX_TYPED = 300;

/** Adds the page and its form at a path. `submit` answers; what it refuses is shown in the form. */
export function formPage(
  router: Router,
  path: string,
  form: Form,
  submit: (req: Request, res: Response) => Promise<void>,
): void {
  router.get(path, async (req, res) => {
    showForm(res, path, form, { ...(await form.current?.(req)), ...fromLink(req, form) });
  });
  router.post(path, async (req, res) => {
    try {
      await submit(req, res);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) throw error;
      showForm(res, path, form, req.body, problem);
    }
  });
}

export function showForm(
  res: Response,
  path: string,
  form: Form,
  values: Record<string, unknown>,
  problem?: Problem,
): void {
  const fields = filledFields(form.fields, values, problem);
  res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  res.render('pages/account/form', {
    ...form,
    fields,
    action: path,
    styles: ['account'],
    passkeyOrigin: form.passkeyOrigin?.(),
    scripts: form.passkeyOrigin ? ['passkeys'] : [],
    problem: problemBeside(fields, problem),
  });
}

/** The fields as the template draws them: with what was typed, and what is wrong with it. */
export function filledFields(fields: readonly FormField[], values: Record<string, unknown>, problem?: Problem) {
  return fields.map((field) => ({
    ...field,
    value: field.type === 'password' ? '' : typed(values[field.name]),
    options: field.options?.map(([value, label]) => ({ value, label, chosen: value === values[field.name] })),
    fault: faultAt(problem, field.name),
  }));
}

/** What is told of a problem beside the fields: a fault that one of them shows is not told twice. */
export const problemBeside = (fields: readonly { fault?: string | undefined }[], problem?: Problem) =>
  problem && !fields.some(({ fault }) => fault) ? problemText(problem) : undefined;

/** A link fills hidden fields alone: nobody can put words into a person's form. */
function fromLink({ query }: Request, { fields }: Form): Record<string, unknown> {
  const hidden = fields.filter(({ type }) => type === 'hidden');
  return Object.fromEntries(hidden.map(({ name }) => [name, query[name]]));
}

const typed = (value: unknown) => (typeof value === 'string' ? value.slice(0, MAX_TYPED) : '');

export const faultAt = (problem: Problem | undefined, name: string): string | undefined =>
  problem?.errors?.find(({ pointer }) => pointer === `#/${name}`)?.detail;

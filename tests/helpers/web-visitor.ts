/** Somebody with a browser that keeps cookies and sends forms, without JavaScript. */
import request from 'supertest';
import type { Feira } from './start-feira.ts';

export type WebVisitor = ReturnType<typeof webVisitor>;

export function webVisitor({ url }: Pick<Feira, 'url'>, headers: Record<string, string> = {}) {
  const agent = request.agent(url).set({ Accept: 'text/html', ...headers });
  return {
    agent,
    open: (path: string) => agent.get(path),
    /** Fills the form of a page and sends it, with the hidden fields that the page has put into it. */
    async submit(page: string, fields: Record<string, string>, action = page.split('?')[0]!) {
      const { text } = await agent.get(page);
      return agent
        .post(action)
        .type('form')
        .send({ ...hiddenFields(text, action), ...fields });
    },
  };
}

/** The hidden fields of the form with this action. */
export function hiddenFields(html: string, action: string): Record<string, string> {
  const form = html.split('<form').find((part) => part.includes(`action="${action}"`)) ?? '';
  const inputs = form.slice(0, form.indexOf('</form>')).matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g);
  return Object.fromEntries([...inputs].map(([, name, value]) => [name, value]));
}

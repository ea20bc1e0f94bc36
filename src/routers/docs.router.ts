/** The API described: /openapi.json for programs, /docs for people, from one document. */
import { createHash } from 'node:crypto';
import { type Request, Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { createApiDocument } from '../openapi/document.ts';
import { toReaderModel } from '../openapi/reader-model.ts';

interface DocsRouterDeps {
  /** The address that people use, when it is configured. */
  publicUrl: string | undefined;
}

export function docsRouter({ publicUrl }: DocsRouterDeps): Router {
  const router = Router();
  let made: ReturnType<typeof describe> | undefined;
  // Made when it is first asked for, so that the start does not wait for it.
  const described = () => (made ??= describe(publicUrl));

  router
    .route('/openapi.json')
    .get((_req, res) => {
      const { text, etag } = described();
      res.setHeader('Cache-Control', 'no-cache').setHeader('ETag', etag);
      res.type('application/json').send(text);
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/docs')
    .get((req, res) => {
      const reader = toReaderModel(described().document, publicUrl ?? askedFor(req));
      res.render('pages/docs/index', { title: 'API', scripts: ['docs'], styles: ['docs'], ...reader });
    })
    .all(allowOnly('GET', 'HEAD'));

  return router;
}

function describe(publicUrl: string | undefined) {
  const document = createApiDocument(publicUrl);
  const text = JSON.stringify(document);
  return { document, text, etag: `"${createHash('sha1').update(text).digest('base64url')}"` };
}

const askedFor = (req: Request) => `${req.protocol}://${req.host}`;

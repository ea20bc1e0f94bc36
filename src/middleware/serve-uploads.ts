/** Serves the pictures that the shop has stored; their names are random and never reused, so they never change. */
import { join } from 'node:path';
import express, { Router } from 'express';
import { notFound } from './error-handler.ts';

/** Exactly the names that ImageService makes; nothing else in the folder can be asked for. */
const PICTURE = /^\/[\da-f]{32}(?:-480)?\.(?:jpg|png|webp|avif|gif)$/;

/** Should a picture ever be taken for a page, then for one that may do nothing. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** To be mounted at /uploads. @param dir the folder of the uploads. @throws AppError NOT_FOUND */
export function serveUploads(dir: string): Router {
  const pictures = express.static(join(dir, 'products'), {
    index: false,
    redirect: false,
    dotfiles: 'deny',
    immutable: true,
    maxAge: '1y',
    setHeaders: (res) => void res.setHeaders(new Map(Object.entries(HEADERS))),
  });
  return Router()
    .use('/products', (req, res, next) => (PICTURE.test(req.path) ? pictures(req, res, next) : next()))
    .use(notFound);
}

/** Serves the pictures that the shop has stored; their names are random and never reused, so they never change. */
import { join } from 'node:path';
import express, { Router } from 'express';
import { notFound } from './error-handler.ts';

/** Exactly the names that ImageService and AvatarService make; nothing else in their folders can be asked for. */
const PICTURE = /^\/[\da-f]{32}(?:-480)?\.(?:jpg|png|webp|avif|gif)$/;
const AVATAR = /^\/[\da-f]{32}\.webp$/;

/** Should a picture ever be taken for a page, then for one that may do nothing. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** To be mounted at /uploads. @param dir the folder of the uploads. @throws AppError NOT_FOUND */
export function serveUploads(dir: string): Router {
  const pictures = serveFolder(join(dir, 'products'), { immutable: true, maxAge: '1y' });
  // A person may take their picture back: nobody is told to keep it for long, and caches on the way not at all.
  const avatars = serveFolder(
    join(dir, 'avatars'),
    { cacheControl: false },
    { 'Cache-Control': 'private, max-age=3600' },
  );
  return Router()
    .use('/products', (req, res, next) => (PICTURE.test(req.path) ? pictures(req, res, next) : next()))
    .use('/avatars', (req, res, next) => (AVATAR.test(req.path) ? avatars(req, res, next) : next()))
    .use(notFound);
}

const serveFolder = (
  dir: string,
  caching: Parameters<typeof express.static>[1],
  headers: Record<string, string> = {},
) =>
  express.static(dir, {
    ...caching,
    index: false,
    redirect: false,
    dotfiles: 'deny',
    setHeaders: (res) => void res.setHeaders(new Map(Object.entries({ ...HEADERS, ...headers }))),
  });

/** The routes of an Express application, read from its routers. */
import type { Express } from 'express';

interface Route {
  path: string | string[];
  methods: Record<string, boolean>;
}

interface Layer {
  handle: { stack?: Layer[] };
  route?: Route;
  match(path: string): boolean;
}

/**
 * Every method and path, such as `get /api/products/{pid}`.
 * @param known paths: routers may be mounted at them or above. Express keeps no text of it, so each is tried.
 * @throws Error when a router is mounted elsewhere.
 */
export function registeredRoutes(app: Express, known: readonly string[]): string[] {
  const stack = (app.router as unknown as { stack: Layer[] }).stack;
  const prefixes = [...new Set(known.flatMap(andAbove))];
  return stack.flatMap((layer) => {
    if (layer.route) return routesOf(layer.route, '');
    const routes = layer.handle.stack?.flatMap(({ route }) => (route ? [route] : [])) ?? [];
    if (routes.length === 0) return [];
    const prefix = layer.match('/') ? '' : prefixes.find((path) => isMountedAt(layer, path));
    if (prefix === undefined) throw new Error(`A router with ${paths(routes)} is mounted where nobody expects it.`);
    return routes.flatMap((route) => routesOf(route, prefix));
  });
}

const paths = (routes: Route[]) => routes.map(({ path }) => path).join(', ');

/** `/a/b` and `/a`. */
const andAbove = (path: string) => [...path.matchAll(/\/|$/g)].map(({ index }) => path.slice(0, index)).filter(Boolean);

/** Mounted at this path itself, and not at a shorter one that leads to it. */
function isMountedAt(layer: Layer, path: string): boolean {
  return layer.match(path) && !layer.match(path.slice(0, path.lastIndexOf('/')) || '/');
}

function routesOf({ path, methods }: Route, prefix: string): string[] {
  return [path].flat().flatMap((each) =>
    Object.keys(methods)
      .filter((method) => method !== '_all')
      .map((method) => `${method} ${prefix}${each === '/' ? '' : each.replace(/:(\w+)/g, '{$1}')}`),
  );
}

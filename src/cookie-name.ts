/** How the shop's cookies are called. */

/**
 * Of a shop that is reached by https only, cookies have a name by which browsers take them from the shop alone: nothing
 * below the same domain can plant one.
 */
export const cookieName = (name: string, secure: boolean, path = '/') =>
  secure ? `${path === '/' ? '__Host-' : '__Secure-'}${name}` : name;

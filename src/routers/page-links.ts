/** The links below a list that has pages: 1 … 4 5 6 … 9. */

export interface PageLinks {
  previous?: string;
  next?: string;
  /** An entry without `href` stands for the pages that are left out. Empty when there is one page. */
  numbers: { number?: number; href?: string; current?: boolean }[];
}

export function pageLinks(page: number, pages: number, hrefOf: (page: number) => string): PageLinks {
  if (pages < 2) return { numbers: [] };
  const shown = [...new Set([1, page - 1, page, page + 1, pages])].filter((n) => n >= 1 && n <= pages);
  const numbers = shown.flatMap((number, i) => {
    const link = { number, href: hrefOf(number), current: number === page };
    return i > 0 && number > (shown[i - 1] ?? 0) + 1 ? [{}, link] : [link];
  });
  return {
    numbers,
    ...(page > 1 && page <= pages && { previous: hrefOf(page - 1) }),
    ...(page < pages && { next: hrefOf(page + 1) }),
  };
}

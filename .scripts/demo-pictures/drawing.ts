// The drawing table of the demo pictures: a sheet of 800 x 800, light from the upper left,
// flat shapes with one crescent of shade each. Every function answers a piece of SVG; the
// products themselves are drawn in the files beside this one, one file for each category.
import { butter, leaf as leafGreen, mustard, shadeInk, white } from './palette.ts';

let clips = 0;

type SolidOptions = {
  /** Width of the shade on the right, in units of the sheet. */
  shade?: number;
  /** Width of the light on the left. */
  light?: number;
  /** Depth of the shade at the foot. */
  foot?: number;
};

/** A closed shape filled with one colour, what is painted on it, then its light and shade. */
export function solid(d: string, fill: string, painted = '', options: SolidOptions = {}): string {
  const { shade = 26, light = 12, foot = 0 } = options;
  const id = `c${++clips}`;
  const around = 'M-900 -900H1700V1700H-900Z';
  return `
	<clipPath id="${id}"><path d="${d}"/></clipPath>
	<g clip-path="url(#${id})">
		<path d="${d}" fill="${fill}"/>
		${painted}
		<path d="${around}${d}" transform="translate(${-shade} ${-foot})" fill="${shadeInk}" fill-opacity=".17" fill-rule="evenodd"/>
		<path d="${around}${d}" transform="translate(${light} ${light * 0.4})" fill="${white}" fill-opacity=".2" fill-rule="evenodd"/>
	</g>`;
}

/** A line without fill, with round ends. */
export function line(d: string, stroke: string, width: number, more = ''): string {
  return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round" ${more}/>`;
}

/** A soft glint on something glazed or made of glass. */
export function glint(d: string, width = 12, opacity = 0.55): string {
  return line(d, white, width, `stroke-opacity="${opacity}"`);
}

/** The soft shadow under a thing that stands. */
export function shadow(cx: number, cy: number, rx: number, ry = 20): string {
  return `
	<ellipse cx="${cx + 22}" cy="${cy}" rx="${rx + 26}" ry="${ry}" fill="${shadeInk}" fill-opacity=".2" filter="url(#soft)"/>
	<ellipse cx="${cx + 6}" cy="${cy}" rx="${rx}" ry="${ry * 0.5}" fill="${shadeInk}" fill-opacity=".28" filter="url(#near)"/>`;
}

/** The soft shadow of a thing that lies or hangs: its outline, moved down and to the right. */
export function dropShadow(d: string, dx = 16, dy = 22): string {
  return `<path d="${d}" transform="translate(${dx} ${dy})" fill="${shadeInk}" fill-opacity=".24" filter="url(#soft)"/>`;
}

/** Repeats a mark along a list of numbers. */
export function each<T>(list: readonly T[], draw: (item: T, index: number) => string): string {
  return list.map(draw).join('\n');
}

/** The numbers from `start`, `count` of them, `step` apart. */
export function steps(start: number, step: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i * step);
}

export function dot(cx: number, cy: number, r: number, fill: string): string {
  return `<circle cx="${cx}" cy="${cy}" r="${r}" fill="${fill}"/>`;
}

/** Moves, turns and scales a drawing made around the origin. */
export function place(x: number, y: number, content: string, angle = 0, scale = 1): string {
  return `<g transform="translate(${x} ${y}) rotate(${angle}) scale(${scale})">${content}</g>`;
}

/** A leaf from its stalk at (x, y) towards `angle`, one half darker than the other. */
export function leaf(x: number, y: number, length: number, angle: number, fill = leafGreen, plump = 0.3): string {
  const half = length / 2;
  const w = length * plump;
  return place(
    x,
    y,
    `<path d="M0 0Q${half} ${-w * 2} ${length} 0Q${half} ${w * 2} 0 0Z" fill="${fill}"/>
		<path d="M0 0H${length}Q${half} ${w * 2} 0 0Z" fill="${shadeInk}" fill-opacity=".16"/>`,
    angle,
  );
}

/** A whole lemon around (x, y), `r` from its middle to its long side; its shade stays below, however it is turned. */
export function lemon(x: number, y: number, r: number, angle = 0): string {
  const d = `M${-1.5 * r} 0C${-1.3 * r} ${-0.2 * r} ${-1.2 * r} ${-r} 0 ${-r}C${1.1 * r} ${-r} ${1.2 * r} ${-0.3 * r} ${1.6 * r} 0C${1.2 * r} ${0.3 * r} ${1.1 * r} ${r} 0 ${r}C${-1.2 * r} ${r} ${-1.3 * r} ${0.2 * r} ${-1.5 * r} 0Z`;
  const turn = (-angle * Math.PI) / 180;
  const shade = r * (0.16 * Math.cos(turn) - 0.3 * Math.sin(turn));
  const foot = r * (0.16 * Math.sin(turn) + 0.3 * Math.cos(turn));
  return (
    place(x, y, solid(d, mustard, '', { shade, foot, light: 0 }), angle) +
    dot(x - r * 0.34, y - r * 0.4, r * 0.15, butter)
  );
}

/** The cut face of a lemon around (x, y). */
export function lemonHalf(x: number, y: number, r: number): string {
  const segment = `<path d="M0 ${-r * 0.12}L${r * 0.24} ${-r * 0.6}Q0 ${-r * 0.86} ${-r * 0.24} ${-r * 0.6}Z" fill="${mustard}" fill-opacity=".75"/>`;
  return place(
    x,
    y,
    dot(0, 0, r, mustard) +
      dot(0, 0, r * 0.86, white) +
      dot(0, 0, r * 0.78, butter) +
      each(steps(0, 45, 8), (a) => `<g transform="rotate(${a})">${segment}</g>`),
  );
}

/** The flower of a painted wall tile: four petals, a diamond and four corners. */
export function tile(x: number, y: number, size: number, petals: string, heart: string): string {
  const s = size / 2;
  const petal = `<path d="M0 0Q${s * 0.12} ${-s * 0.62} ${s * 0.74} ${-s * 0.74}Q${s * 0.62} ${-s * 0.12} 0 0Z" fill="${petals}"/>`;
  const corner = `<path d="M${s} ${-s}h${-s * 0.34}a${s * 0.34} ${s * 0.34} 0 0 0 ${s * 0.34} ${s * 0.34}Z" fill="${heart}"/>`;
  return place(
    x,
    y,
    each([0, 90, 180, 270], (a) => `<g transform="rotate(${a})">${petal}${corner}</g>`) +
      `<path d="M0 ${-s * 0.24}L${s * 0.24} 0L0 ${s * 0.24}L${-s * 0.24} 0Z" fill="${heart}"/>`,
  );
}

/** Steam above something hot. */
export function steam(x: number, y: number): string {
  const wisp = 'M0 0c-26 -26 22 -44 0 -76';
  return each([0, 44, 88], (dx, i) =>
    line(wisp, white, 9, `transform="translate(${x + dx} ${y - (i === 1 ? 22 : 0)})" stroke-opacity=".8"`),
  );
}

/** A sheet of paper with its back wall, its table and what stands there. */
export function sheet(paper: string, backdrop: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" width="800" height="800">
	<defs>
		<filter id="soft" filterUnits="userSpaceOnUse" x="-900" y="-900" width="2600" height="2600"><feGaussianBlur stdDeviation="16"/></filter>
		<filter id="near" filterUnits="userSpaceOnUse" x="-900" y="-900" width="2600" height="2600"><feGaussianBlur stdDeviation="5"/></filter>
	</defs>
	<path d="M0 0H800V800H0Z" fill="${paper}"/>
	${backdrop}
	${content}
</svg>`;
}

/** A table edge across the sheet. */
export function table(fill: string, y = 590): string {
  return `<path d="M0 ${y}H800V800H0Z" fill="${fill}"/><path d="M0 ${y}H800v7H0Z" fill="${white}" fill-opacity=".35"/>`;
}

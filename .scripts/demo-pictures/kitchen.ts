// Kitchen: a work top in front of a tiled wall.
import { dot, each, glint, leaf, line, place, shadow, sheet, solid, steam, steps, table, tile } from './drawing.ts';
import {
  bark,
  blush,
  butter,
  clay,
  cream,
  leaf as green,
  ink,
  linen,
  mist,
  mustard,
  oak,
  olive,
  pine,
  red,
  sage,
  sand,
  silver,
  sky,
  steel,
  straw,
  terracotta,
  walnut,
  white,
} from './palette.ts';

type Wall = { paper: string; tiles: string; petals: string; top: string };

function workTop({ paper, tiles, petals, top }: Wall, content: string): string {
  const places = steps(40, 90, 9).flatMap((x) => steps(455, 90, 2).map((y) => [x, y] as const));
  const wall = `
    <path d="M0 410H800V600H0Z" fill="${tiles}"/>
    ${each(places, ([x, y]) => tile(x, y, 88, petals, paper))}
    <path d="M0 396H800v14H0Z" fill="${petals}"/>`;
  return sheet(paper, `${wall}${table(top)}`, content);
}

function tomato(x: number, y: number, r: number): string {
  const round = `M${x} ${y - r}A${r} ${r * 0.94} 0 1 1 ${x - 0.1} ${y - r}Z`;
  const star = each(steps(-160, 35, 5), (a) => leaf(0, 0, r * 0.62, a, pine, 0.16));
  return (
    shadow(x, y + r * 0.9, r * 0.8, 9) +
    solid(round, red, '', { shade: r * 0.28, foot: r * 0.12, light: 0 }) +
    place(x, y - r * 0.82, star) +
    glint(`M${x - r * 0.55} ${y - r * 0.1}Q${x - r * 0.5} ${y - r * 0.4} ${x - r * 0.3} ${y - r * 0.5}`, 7, 0.6)
  );
}

function oliveWoodBoard(): string {
  const board =
    'M356 150C356 116 444 116 444 150C444 196 440 222 470 240C520 262 566 270 566 330V596C566 632 546 650 510 650H290C254 650 234 632 234 596V330C234 270 280 262 330 240C360 222 356 196 356 150Z';
  const grain = `
    ${each([0, 1, 2, 3, 4], (i) => line(`M${258 + i * 22} 700C${236 + i * 24} 560 ${330 + i * 14} ${460 - i * 8} ${290 + i * 16} 330C${280 + i * 16} 280 ${372 + i * 6} 240 ${366 + i * 8} 80`, walnut, 5, 'stroke-opacity=".5"'))}
    ${each([0, 1, 2, 3], (i) => line(`M${562 - i * 26} 700C${596 - i * 26} 520 ${496 - i * 10} 470 ${540 - i * 26} 350C${560 - i * 28} 270 ${440 - i * 6} 230 ${438 - i * 9} 80`, walnut, 5, 'stroke-opacity=".5"'))}
    <ellipse cx="424" cy="470" rx="15" ry="27" fill="${walnut}"/><ellipse cx="424" cy="470" rx="31" ry="50" fill="none" stroke="${walnut}" stroke-width="5" stroke-opacity=".6"/>
    `;
  const needles = each(steps(0, 17, 9), (x) => leaf(x, 0, 34, -52, pine, 0.12) + leaf(x + 6, 0, 34, 52, green, 0.12));
  return workTop(
    { paper: linen, tiles: cream, petals: sage, top: straw },
    `${shadow(400, 648, 172)}
    ${solid(board, oak, grain, { shade: 18, light: 10 })}
    ${dot(400, 164, 17, linen)}<path d="M383 164a17 17 0 0 1 34 0a19 17 0 0 0 -34 0Z" fill="${bark}" fill-opacity=".7"/>
    ${tomato(540, 634, 52)}${tomato(622, 652, 40)}
    ${place(180, 668, line('M-8 0H170', olive, 7) + needles + leaf(160, 0, 34, 0, pine, 0.12), -7)}`,
  );
}

function facets(
  top: readonly number[],
  yTop: number,
  bottom: readonly number[],
  yBottom: number,
  fills: readonly string[],
) {
  return each(
    fills,
    (fill, i) =>
      `<path d="M${top[i]} ${yTop}H${top[i + 1]}L${bottom[i + 1]} ${yBottom}H${bottom[i]}Z" fill="${fill}"/>`,
  );
}

function mokaPot(): string {
  const metal = ['#D3DADA', '#E6EAE7', silver, steel];
  return workTop(
    { paper: blush, tiles: cream, petals: clay, top: linen },
    `${shadow(400, 646, 134)}
    <path d="M508 276H606Q632 276 628 302L606 440Q602 462 580 462H552L574 322H512Z" fill="${ink}"/>
    <path d="M574 322L552 462H562L586 322Z" fill="${white}" fill-opacity=".18"/>
    <path d="M290 268L222 250L304 392Z" fill="#D3DADA"/><path d="M222 250L290 268L300 290Z" fill="${steel}"/>
    ${facets([276, 326, 420, 482, 520], 266, [312, 346, 416, 462, 490], 448, metal)}
    ${facets([308, 346, 416, 464, 494], 474, [274, 326, 424, 490, 528], 648, metal)}
    ${solid('M304 440H498Q508 440 508 450V470Q508 480 498 480H304Q294 480 294 470V450Q294 440 304 440Z', steel, `<path d="M280 458H520v6H280Z" fill="${ink}" fill-opacity=".3"/>`, { shade: 40, light: 0 })}
    <path d="M268 268L398 212V268Z" fill="#D3DADA"/><path d="M398 212L440 268H330Z" fill="#EEF0EC"/><path d="M398 212L530 268H430Z" fill="${steel}"/>
    <path d="M264 264H534v10H264Z" fill="${silver}"/>
    <path d="M388 216L382 196H416L410 216Z" fill="${ink}"/>${solid('M399 148C424 148 432 168 424 184C418 198 380 198 374 184C366 168 374 148 399 148Z', ink, '', { shade: 8, light: 0 })}${dot(390, 165, 5, white)}
    ${dot(376, 540, 14, mustard)}${dot(376, 540, 6, bark)}
    ${line('M344 288L358 420M316 616L334 500', white, 7, 'stroke-opacity=".7"')}
    ${steam(196, 208)}`,
  );
}

function enamelCasserole(): string {
  const pot = 'M190 386H610V552Q610 640 522 640H278Q190 640 190 552Z';
  const lid = 'M196 372C216 286 300 248 400 248C500 248 584 286 604 372Z';
  const sprig = `${line('M0 46V-30', cream, 6)}${leaf(0, 30, 40, -30, cream, 0.24)}${leaf(0, 30, 40, -150, cream, 0.24)}${leaf(0, 0, 36, -34, cream, 0.24)}${leaf(0, 0, 36, -146, cream, 0.24)}${dot(0, -42, 11, mustard)}`;
  return workTop(
    { paper: linen, tiles: cream, petals: sky, top: oak },
    `${shadow(400, 652, 210)}
    <path d="M250 636H550V654H250Z" fill="${bark}"/>
    ${line('M196 440C122 424 122 506 196 500', pine, 30)}${line('M604 440C678 424 678 506 604 500', pine, 30)}
    ${line('M186 438C136 434 136 472 150 484', white, 6, 'stroke-opacity=".3"')}
    ${solid(
      pot,
      green,
      each(steps(244, 78, 5), (x) => place(x, 520, sprig)),
      { shade: 44, foot: 10, light: 16 },
    )}
    ${solid(lid, green, line('M180 344Q400 300 620 344', cream, 6), { shade: 34, light: 14 })}
    <path d="M182 366H618Q628 366 628 378T618 392H182Q172 392 172 378T182 366Z" fill="${pine}"/>
    <path d="M386 232H414V252H386Z" fill="${bark}"/>${solid('M400 190C434 190 446 206 440 220C434 236 366 236 360 220C354 206 366 190 400 190Z', mustard, '', { shade: 10, light: 6 })}
    ${glint('M250 330C266 304 292 288 324 280', 11)}${glint('M214 420V520', 10, 0.35)}`,
  );
}

function mill(wood: string, band: string): string {
  const head = 'M-66 -388C-66 -454 -34 -480 0 -480C34 -480 66 -454 66 -388Z';
  const body =
    'M-56 -370C-56 -320 -28 -300 -28 -258C-28 -206 -82 -168 -82 -90C-82 -50 -94 -40 -94 -18Q-94 0 -76 0H76Q94 0 94 -18C94 -40 82 -50 82 -90C82 -168 28 -206 28 -258C28 -300 56 -320 56 -370Z';
  const painted = `<path d="M-120 -62H120v-12H-120ZM-120 -86H120v-40H-120ZM-120 -138H120v-8H-120Z" fill="${band}"/>${each(steps(-72, 24, 7), (x) => `<path d="M${x} -106l8 -11l8 11l-8 11Z" fill="${cream}"/>`)}`;
  return `${shadow(0, -2, 92, 18)}
    ${solid(body, wood, painted, { shade: 24, light: 9 })}
    ${solid('M-62 -392H62Q74 -392 74 -380T62 -368H-62Q-74 -368 -74 -380T-62 -392Z', band, '', { shade: 24, light: 0 })}
    ${solid(head, wood, '', { shade: 22, light: 8 })}
    <path d="M-9 -496H9V-478H-9Z" fill="${bark}"/>${solid('M0 -532A21 21 0 1 1 -.1 -532Z', mustard, '', { shade: 8, light: 4 })}
    ${glint('M-40 -410C-40 -436 -30 -448 -16 -456', 8, 0.45)}`;
}

function pepperMills(): string {
  const corns = [
    [210, 690, 10],
    [236, 702, 9],
    [262, 686, 10],
    [196, 716, 8],
    [292, 704, 9],
    [640, 700, 9],
    [664, 686, 10],
    [618, 718, 8],
    [348, 718, 8],
  ] as const;
  return workTop(
    { paper: sand, tiles: cream, petals: straw, top: mist },
    `${place(318, 650, mill(walnut, terracotta))}${place(504, 662, mill(straw, green), 0, 0.74)}
    ${each(corns, ([x, y, r], i) => `<ellipse cx="${x + 4}" cy="${y + r * 0.8}" rx="${r}" ry="4" fill="${bark}" fill-opacity=".3"/>${dot(x, y, r, i % 3 ? ink : bark)}${dot(x - 3, y - 3, 2.5, butter)}`)}`,
  );
}

export const kitchen = {
  'KIT-001': oliveWoodBoard(),
  'KIT-002': mokaPot(),
  'KIT-003': enamelCasserole(),
  'KIT-004': pepperMills(),
};

// Textiles: linen-coloured panelling, a rail with pegs or a bench.
import { dot, dropShadow, each, leaf, line, place, shadow, sheet, solid, steps, table, tile } from './drawing.ts';
import {
  amber,
  bark,
  blush,
  butter,
  cobalt,
  cream,
  leaf as green,
  linen,
  mist,
  mustard,
  navy,
  oak,
  olive,
  orange,
  pine,
  red,
  sage,
  sand,
  sky,
  straw,
  terracotta,
  walnut,
  white,
} from './palette.ts';

function panelling(paper: string, board: string): string {
  return each(steps(0, 160, 5), (x) => `<path d="M${x} 0h80V800h-80Z" fill="${board}"/>`).replace(
    /^/,
    `<path d="M0 0H800V800H0Z" fill="${paper}"/>`,
  );
}

function teaTowels(): string {
  const back = 'M404 236C450 250 530 250 590 236L616 590C590 604 566 586 536 598C506 610 470 592 410 602Z';
  const front = 'M202 236C260 254 346 254 422 236L444 668C410 654 384 682 346 670C306 658 272 682 188 666Z';
  const peg = (x: number) =>
    `${dropShadow(`M${x - 13} 166h26v60h-26Z`, 6, 10)}${solid(`M${x} 158a24 24 0 1 1 -.1 0Z`, walnut, '', { shade: 8, light: 5 })}`;
  const stripes = (y: number, colour: string) =>
    `<path d="M100 ${y}Q330 ${y + 22} 700 ${y - 4}v40Q330 ${y + 62} 100 ${y + 40}ZM100 ${y + 54}Q330 ${y + 76} 700 ${y + 50}v9Q330 ${y + 85} 100 ${y + 63}ZM100 ${y - 24}Q330 ${y - 2} 700 ${y - 28}v9Q330 ${y + 7} 100 ${y - 15}Z" fill="${colour}"/>`;
  const folds = (x: number) =>
    `<path d="M${x} 240C${x + 30} 400 ${x + 10} 520 ${x + 26} 680L${x + 60} 680C${x + 40} 520 ${x + 52} 400 ${x + 30} 240Z" fill="${bark}" fill-opacity=".1"/>`;
  return sheet(
    linen,
    panelling(linen, sand),
    `${dropShadow('M80 152H720V200H80Z', 0, 14)}${solid('M80 148H720Q728 148 728 156V192Q728 200 720 200H80Q72 200 72 192V156Q72 148 80 148Z', oak, line('M60 168Q300 160 500 176T760 166M60 188Q260 180 420 190T760 184', walnut, 3, 'stroke-opacity=".5"'), { shade: 0, foot: 8, light: 0 })}
    ${dropShadow(back)}${solid(back, butter, each(steps(412, 36, 7), (x) => `<path d="M${x} 200h12L${x + 26} 700h-14Z" fill="${mustard}"/>`) + folds(500), { shade: 12, light: 0 })}
    ${dropShadow(front)}${solid(front, white, `${stripes(300, cobalt) + stripes(540, cobalt)}<path d="M100 420Q330 442 700 416v30Q330 474 100 450Z" fill="${terracotta}"/>${folds(250)}${folds(370)}`, { shade: 14, light: 0 })}
    ${line('M308 252C302 214 324 186 324 182C324 186 346 214 340 252', terracotta, 7)}${line('M462 250C456 214 476 186 476 182C476 186 496 214 490 250', amber, 7)}
    ${peg(170)}${peg(324)}${peg(476)}${peg(630)}`,
  );
}

function woolBlanket(): string {
  const layer = (y: number) =>
    `M238 ${y}H606Q632 ${y} 632 ${y + 28}V${y + 100}Q632 ${y + 128} 606 ${y + 128}H238A64 64 0 0 1 238 ${y}Z`;
  const warp = (x: number) =>
    `<path d="M${x} 0h46V800h-46Z" fill="${navy}"/><path d="M${x + 70} 0h10V800h-10Z" fill="${butter}"/>`;
  const weft = (y: number) =>
    `<path d="M0 ${y}H800v34H0Z" fill="${navy}" fill-opacity=".5"/><path d="M0 ${y + 50}H800v8H0Z" fill="${butter}"/>`;
  const flap = 'M352 254H606Q638 254 638 286V520H366V284Q366 254 352 254Z';
  const fringe = each(steps(374, 16, 17), (x, i) =>
    line(`M${x} 518q${i % 2 ? 5 : -5} 22 0 42`, i % 2 ? straw : cream, 8),
  );
  return sheet(
    blush,
    panelling(blush, '#F5DAC8') + table(oak),
    `${shadow(408, 652, 222)}
    <path d="M250 270H610V640H250Z" fill="${bark}"/>
    ${each([522, 388, 254], (y) => solid(layer(y), terracotta, each([222, 330, 438, 546], warp), { shade: 10, foot: 22, light: 0 }) + line(`M226 ${y + 64}H600`, bark, 7, 'stroke-opacity=".3"'))}
    ${dropShadow('M372 280H630V540H372Z', -4, 14)}${fringe}
    ${solid(flap, terracotta, each([386, 490, 594], warp) + each([290, 404], weft), { shade: 12, foot: 10, light: 8 })}
    ${solid('M474 470h62v36h-62Z', cream, `<path d="M505 476l12 12l-12 12l-12 -12Z" fill="${red}"/>`, { shade: 5, light: 0 })}`,
  );
}

function marketTote(): string {
  const bag = 'M216 352H584L612 632Q614 650 596 650H204Q186 650 188 632Z';
  const fruit = (x: number, y: number, r: number) =>
    `${dot(x, y, r, orange)}<path d="M${x + r * 0.3} ${y - r * 0.95}A${r} ${r} 0 0 1 ${x - r * 0.6} ${y + r * 0.8}A${r * 1.1} ${r * 1.1} 0 0 0 ${x + r * 0.3} ${y - r * 0.95}Z" fill="${terracotta}"/>${leaf(x, y - r * 0.9, r * 1.05, -28, pine)}${leaf(x, y - r * 0.9, r * 0.9, -140, green)}`;
  const flower = (x: number, y: number, petals: string) =>
    each(steps(0, 60, 6), (a) => place(x, y, `<ellipse cx="0" cy="-17" rx="10" ry="15" fill="${petals}"/>`, a)) +
    dot(x, y, 10, mustard);
  const loaf = 'M446 150C474 120 520 138 522 180L486 400H392Z';
  return sheet(
    mist,
    panelling(mist, '#DFEAE9') + table(sand),
    `${shadow(400, 648, 206)}
    ${line('M312 372C300 130 500 130 488 372', walnut, 20)}
    ${solid(
      loaf,
      straw,
      each([190, 236, 282, 328], (y) => line(`M${470 - (y - 190) * 0.2} ${y}l42 -26`, amber, 11)),
      { shade: 16, light: 8 },
    )}
    ${each([-34, -12, 10, 32], (a, i) => place(300, 400, leaf(0, 0, 210 + (i % 2) * 30, a - 100, i % 2 ? olive : green, 0.13)))}
    ${line('M350 400Q350 300 366 254M372 400Q384 330 410 296M338 400Q326 320 318 268', pine, 7)}
    ${flower(366, 246, white)}${flower(412, 288, red)}${flower(318, 262, butter)}
    ${solid(bag, cream, `${fruit(330, 476, 56)}${fruit(464, 456, 50)}${fruit(408, 566, 58)}${fruit(536, 572, 40)}${fruit(258, 578, 38)}`, { shade: 26, light: 10, foot: 6 })}
    <path d="M212 352H588v22H212Z" fill="${bark}" fill-opacity=".12"/>
    ${line('M280 470C262 150 480 120 520 470', oak, 22, 'clip-path="url(#straps)"')}
    <clipPath id="straps"><path d="M0 0H800V470H0Z"/></clipPath>
    ${each([286, 516], (x) => `<path d="M${x - 17} 430h34v40h-34Z" fill="${walnut}"/>${line(`M${x - 9} 440l18 20M${x + 9} 440l-18 20`, straw, 3)}`)}`,
  );
}

function tileCushion(): string {
  const pad =
    'M186 226C260 202 330 214 400 214C470 214 540 202 614 226C634 300 622 370 622 430C622 490 634 560 614 638C540 660 470 648 400 648C330 648 260 660 186 638C166 560 178 490 178 430C178 370 166 300 186 226Z';
  const places = steps(238, 108, 4).flatMap((x) => steps(270, 108, 4).map((y) => [x, y] as const));
  const grid = each(
    places,
    ([x, y]) =>
      `<path d="M${x - 52} ${y - 52}h104v104h-104Z" fill="${(x + y) % 216 === 76 ? cream : '#F7E9D0'}"/>${tile(x, y, 104, (x + y) % 216 === 76 ? cobalt : pine, terracotta)}`,
  );
  const tassel = (x: number, y: number, a: number) =>
    place(x, y, `${each([-16, -8, 0, 8, 16], (d) => line(`M0 10L${d} 58`, mustard, 8))}${dot(0, 8, 13, amber)}`, a);
  return sheet(
    sage,
    panelling(sage, '#BECBA6') + table(walnut, 610),
    `${shadow(400, 648, 216, 22)}
    ${tassel(186, 224, 128)}${tassel(614, 224, -128)}${tassel(186, 640, 46)}${tassel(614, 640, -46)}
    ${solid(pad, cream, grid, { shade: 46, foot: 30, light: 16 })}
    ${line('M210 250C240 330 240 380 236 430M590 250C560 330 560 380 564 430M400 600C360 618 300 622 214 612', bark, 9, 'stroke-opacity=".1"')}
    <path d="${pad}" fill="none" stroke="${sky}" stroke-width="9"/>`,
  );
}

export const textiles = {
  'TEX-001': teaTowels(),
  'TEX-002': woolBlanket(),
  'TEX-003': marketTote(),
  'TEX-004': tileCushion(),
};

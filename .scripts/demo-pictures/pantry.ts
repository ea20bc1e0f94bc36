// Pantry: a low sun behind the larder shelf.
import {
  dot,
  dropShadow,
  each,
  glint,
  leaf,
  lemonHalf,
  line,
  place,
  shadow,
  sheet,
  solid,
  steps,
  table,
} from './drawing.ts';
import {
  amber,
  bark,
  blush,
  butter,
  clay,
  cobalt,
  cream,
  leaf as green,
  ink,
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
  silver,
  sky,
  steel,
  terracotta,
  walnut,
  white,
} from './palette.ts';

function lowSun(paper: string, sun: string, top: string, content: string, edge = 590): string {
  const r = edge * 0.525;
  return sheet(paper, dot(400, edge - r * 0.62, r, sun) + table(top, edge), content);
}

function oliveFruit(x: number, y: number, fill: string): string {
  const d = 'M0 -30C22 -30 26 28 0 34C-26 28 -22 -30 0 -30Z';
  return place(x, y, solid(d, fill, '', { shade: 9, foot: 4, light: 0 }) + dot(-7, -12, 4, white));
}

function oliveOil(): string {
  const bottle =
    'M358 196H442V286C442 344 514 352 514 430V610Q514 650 474 650H326Q286 650 286 610V430C286 352 358 344 358 286Z';
  const label = 'M286 446H514V606H286Z';
  const twig = place(
    400,
    526,
    line('M-84 24C-30 34 40 10 84 -30', olive, 6) +
      leaf(-60, 28, 54, -96, pine, 0.2) +
      leaf(-24, 26, 58, -110, olive, 0.2) +
      leaf(14, 16, 58, -124, pine, 0.2) +
      leaf(-10, 25, 56, 36, olive, 0.2) +
      leaf(30, 8, 54, 22, pine, 0.2) +
      leaf(52, -6, 52, -110, olive, 0.2) +
      leaf(80, -28, 46, -24, pine, 0.2) +
      dot(-40, 50, 15, ink) +
      dot(-45, 45, 4, white),
    0,
    0.9,
  );
  return lowSun(
    linen,
    butter,
    sage,
    `${shadow(400, 648, 118)}
    ${solid(bottle, pine, `<path d="M286 372H514V446H286Z" fill="${green}" fill-opacity=".35"/><path d="${label}" fill="${cream}"/><path d="M286 456H514v6H286ZM286 590H514v6H286Z" fill="${mustard}"/>${twig}`, { shade: 32, light: 0 })}
    ${glint('M312 430C314 396 340 376 362 356M378 214V280', 11, 0.4)}
    <path d="M352 250H448V282H352Z" fill="${mustard}"/><path d="M424 250H448V282H424Z" fill="${bark}" fill-opacity=".25"/>
    ${solid('M348 178H452Q458 178 458 186V198Q458 206 452 206H348Q342 206 342 198V186Q342 178 348 178Z', ink, '', { shade: 18, light: 6 })}
    ${solid(
      'M370 134H430L434 178H366Z',
      oak,
      each([148, 162], (y) => dot(384 + (y % 20), y, 3, walnut)),
      { shade: 12, light: 6 },
    )}
    ${shadow(612, 690, 76, 14)}
    ${solid('M520 640H704C700 684 668 700 612 700C556 700 524 684 520 640Z', white, `<path d="M500 664H720v10H500Z" fill="${cobalt}"/>`, { shade: 26, light: 8 })}
    <ellipse cx="612" cy="640" rx="92" ry="21" fill="${linen}"/><ellipse cx="612" cy="642" rx="78" ry="15" fill="${mustard}"/><path d="M548 638a78 15 0 0 1 60 -10" fill="none" stroke="${butter}" stroke-width="5" stroke-linecap="round"/>
    ${shadow(204, 690, 50, 10)}${leaf(186, 660, 108, -150, pine, 0.18)}${leaf(200, 650, 104, -112, olive, 0.18)}
    ${place(190, 662, oliveFruit(0, 0, olive), 24)}${place(236, 668, oliveFruit(0, 0, ink), -34)}`,
  );
}

function honeyJar(): string {
  const jar =
    'M268 330H532C560 352 572 372 572 410V592Q572 650 514 650H286Q228 650 228 592V410C228 372 240 352 268 330Z';
  const cell = (x: number, y: number, fill: string) =>
    `<path d="M${x} ${y - 33}l28.6 16.5v33l-28.6 16.5l-28.6 -16.5v-33Z" fill="${fill}"/>`;
  const combs = steps(400 - 122, 61, 5).flatMap((x) => [
    [x, 452] as const,
    ...(x < 520 ? [[x + 30.5, 504.5] as const] : []),
    [x, 557] as const,
  ]);
  const comb = each(combs, ([x, y], i) => cell(x, y, [butter, mustard, amber][(i * 5 + (i % 4)) % 3] ?? butter));
  const checks =
    each(steps(180, 40, 12), (x) => `<path d="M${x} 200h20V340h-20Z" fill="${red}" fill-opacity=".55"/>`) +
    each(steps(206, 40, 4), (y) => `<path d="M180 ${y}H640v20H180Z" fill="${red}" fill-opacity=".55"/>`);
  const cloth =
    'M282 232C320 206 480 206 518 232C530 258 548 286 574 312C552 330 540 312 520 330C500 344 486 322 462 336C440 346 424 324 400 336C376 346 360 324 338 336C314 344 300 322 280 330C260 336 248 316 226 312C252 286 270 258 282 232Z';
  const bee = `<ellipse cx="-6" cy="-20" rx="13" ry="21" fill="${white}" fill-opacity=".85" transform="rotate(-24)"/><ellipse cx="12" cy="-20" rx="12" ry="19" fill="${white}" fill-opacity=".85" transform="rotate(14)"/>${solid('M-30 0C-30 -22 26 -22 34 0C26 22 -30 22 -30 0Z', mustard, `<path d="M-14 -30h11V30h-11ZM8 -30h11V30H8Z" fill="${ink}"/>`, { shade: 4, foot: 6, light: 0 })}${dot(-34, -2, 10, ink)}`;
  return lowSun(
    sand,
    blush,
    oak,
    `${shadow(400, 648, 176)}
    ${solid(jar, amber, `<path d="M228 350H572V392H228Z" fill="${cream}" fill-opacity=".22"/><path d="M228 410H572V600H228Z" fill="${cream}"/>${comb}<path d="M228 410H572v9H228ZM228 591H572v9H228Z" fill="${bark}"/>`, { shade: 36, light: 14, foot: 8 })}
    ${glint('M252 378V384', 11, 0.5)}
    ${dropShadow(cloth, 4, 12)}${solid(cloth, cream, checks, { shade: 22, light: 0, foot: 8 })}
    ${line('M264 290C330 306 470 306 536 290', walnut, 11)}${line('M400 304c-40 -30 -64 4 0 0c64 4 40 -30 0 0c-20 20 -22 30 -30 50M400 304c18 20 20 30 34 46', walnut, 8)}
    ${place(152, 236, bee, 14)}${line('M196 262C224 300 190 330 168 306', white, 5, 'stroke-dasharray="1 13"')}`,
  );
}

function sardineTin(): string {
  const tin = 'M196 330H604Q656 330 656 382V572Q656 624 604 624H196Q144 624 144 572V382Q144 330 196 330Z';
  const well = 'M206 356H594Q630 356 630 392V562Q630 598 594 598H206Q170 598 170 562V392Q170 356 206 356Z';
  const fish = (y: number, flip: boolean) =>
    place(
      400,
      y,
      `<g transform="scale(${flip ? -1 : 1} 1)">
        <path d="M150 0L204 -32Q192 0 204 32Z" fill="${navy}"/>
        ${solid('M-206 0C-180 -40 -60 -44 30 -32C90 -24 140 -12 172 0C140 12 90 24 30 32C-60 44 -180 40 -206 0Z', silver, `<path d="M-220 -60H220V-6C100 -14 -60 -16 -220 -4Z" fill="${navy}"/>${each(steps(-110, 40, 6), (x) => dot(x, 5, 4.5, steel))}<path d="M-132 -50C-112 -20 -112 20 -132 50" fill="none" stroke="${ink}" stroke-width="5" stroke-opacity=".6"/>`, { shade: 4, foot: 9, light: 0 })}
        ${dot(-166, -7, 11, white)}${dot(-166, -7, 6, ink)}
      </g>`,
    );
  const roll = 'M176 262H624V334H176Z';
  return sheet(
    mist,
    dot(400, 430, 330, '#E2ECEA'),
    `${dropShadow(tin, 18, 34)}
    ${solid('M144 400H656V598Q656 664 590 664H210Q144 664 144 598Z', terracotta, `<path d="M100 640H700v7H100Z" fill="${butter}"/>`, { shade: 20, light: 0 })}
    ${solid(tin, silver, '', { shade: 8, foot: 8, light: 8 })}
    ${solid(well, mustard, `<path d="M100 300H700V380H100Z" fill="${bark}" fill-opacity=".25"/>${fish(418, false)}${fish(480, true)}${fish(542, false)}`, { shade: 0, light: 14 })}
    
    ${dropShadow(roll, 0, 16)}
    ${solid(roll, terracotta, `${each(steps(196, 52, 9), (x) => `<path d="M${x} 298l16 -16l16 16l-16 16Z" fill="${butter}"/>`)}<path d="M100 262H700v8H100ZM100 326H700v8H100Z" fill="${butter}"/>`, { shade: 0, foot: 18, light: 0 })}
    ${each([176, 624], (x) => `<ellipse cx="${x}" cy="298" rx="18" ry="36" fill="${silver}"/><path d="M${x} 276c12 0 12 44 0 44c-9 0 -9 -30 0 -30c5 0 5 18 0 18" fill="none" stroke="${steel}" stroke-width="5"/>`)}
    ${line('M630 298H668', steel, 13)}${line('M668 298a26 26 0 1 1 0 .1', steel, 12)}
    ${place(212, 196, lemonHalf(0, 0, 62), 12)}${leaf(276, 190, 92, 8, green, 0.24)}${leaf(276, 194, 84, 50, pine, 0.24)}`,
  );
}

function mountainCheese(): string {
  const [cx, cy, rx, ry, h] = [376, 350, 226, 96, 150];
  const at = (degrees: number) => {
    const a = (degrees * Math.PI) / 180;
    return [cx + rx * Math.cos(a), cy + ry * Math.sin(a)] as const;
  };
  const [[ax, ay], [bx, by]] = [at(22), at(86)];
  const top = `M${cx} ${cy}L${ax} ${ay}A${rx} ${ry} 0 1 0 ${bx} ${by}Z`;
  const left = `M${cx - rx} ${cy}A${rx} ${ry} 0 0 0 ${bx} ${by}V${by + h}A${rx} ${ry} 0 0 1 ${cx - rx} ${cy + h}Z`;
  const right = `M${cx + rx} ${cy}A${rx} ${ry} 0 0 1 ${ax} ${ay}V${ay + h}A${rx} ${ry} 0 0 0 ${cx + rx} ${cy + h}Z`;
  const holes = (list: readonly (readonly [number, number, number])[]) =>
    each(list, ([x, y, r]) => `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * 0.8}" fill="${mustard}"/>`);
  const [dx, dy] = [86, 66];
  const wedgeTop = `M${cx + dx} ${cy + dy}L${ax + dx} ${ay + dy}A${rx} ${ry} 0 0 1 ${bx + dx} ${by + dy}Z`;
  const wedgeRind = `M${ax + dx} ${ay + dy}A${rx} ${ry} 0 0 1 ${bx + dx} ${by + dy}v${h}A${rx} ${ry} 0 0 0 ${ax + dx} ${ay + dy + h}Z`;
  const wedgeFace = `M${cx + dx} ${cy + dy}L${bx + dx} ${by + dy}v${h}L${cx + dx} ${cy + dy + h}Z`;
  return lowSun(
    linen,
    sky,
    clay,
    `${shadow(404, 610, 330, 110)}
    ${solid('M70 560C70 660 230 690 404 690C578 690 738 660 738 560V584C738 676 578 716 404 716C230 716 70 676 70 584Z', walnut, '', { shade: 30, light: 0 })}
    ${solid(
      'M404 430A334 130 0 1 1 403.900 430Z',
      oak,
      each(
        [0.9, 0.72, 0.5],
        (k) =>
          `<ellipse cx="404" cy="560" rx="${334 * k}" ry="${130 * k}" fill="none" stroke="${walnut}" stroke-opacity=".35" stroke-width="4"/>`,
      ),
      { shade: 0, light: 6 },
    )}
    <ellipse cx="392" cy="514" rx="236" ry="92" fill="${bark}" fill-opacity=".25" filter="url(#near)"/>
    <path d="M${cx + dx} ${cy + dy + h}L${ax + dx} ${ay + dy + h}A${rx} ${ry} 0 0 1 ${bx + dx} ${by + dy + h}Z" transform="translate(16 6)" fill="${bark}" fill-opacity=".35" filter="url(#near)"/>
    <path d="${top}" fill="${butter}"/>
    <path d="M${cx} ${cy}L${ax} ${ay}V${ay + h}L${cx} ${cy + h}Z" fill="#F9E6AE"/>
    <path d="M${cx} ${cy}L${bx} ${by}V${by + h}L${cx} ${cy + h}Z" fill="${mustard}"/>
    ${holes([
      [432, 400, 9],
      [478, 440, 12],
      [532, 420, 8],
      [420, 460, 7],
      [496, 395, 6],
    ])}
    ${solid(
      left,
      orange,
      each([40, 90], (y) =>
        line(`M${cx - rx} ${cy + y}A${rx} ${ry} 0 0 0 ${cx + rx} ${cy + y}`, terracotta, 6, 'stroke-opacity=".5"'),
      ),
      { shade: 20, light: 14 },
    )}
    ${solid(right, orange, '', { shade: 20, light: 0 })}
    <path d="M${ax} ${ay}A${rx} ${ry} 0 1 0 ${bx} ${by}" fill="none" stroke="${amber}" stroke-width="8"/>
    ${holes([
      [292, 322, 10],
      [242, 360, 8],
      [352, 298, 7],
      [452, 300, 11],
      [324, 380, 8],
      [520, 330, 7],
    ])}
    <path d="${wedgeRind}" fill="${orange}"/><path d="${wedgeFace}" fill="#F9E6AE"/><path d="${wedgeTop}" fill="${butter}"/>
    ${place(212, 636, leaf(0, 0, 100, -172, pine, 0.2) + leaf(10, -6, 92, -136, green, 0.2))}
    ${oliveFruit(214, 628, olive)}${place(258, 642, oliveFruit(0, 0, ink), 70)}`,
    450,
  );
}

export const pantry = {
  'PAN-001': oliveOil(),
  'PAN-002': honeyJar(),
  'PAN-003': sardineTin(),
  'PAN-004': mountainCheese(),
};

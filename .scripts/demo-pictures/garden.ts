// Garden: rolling hills, a small sun and a garden wall.
import { dot, each, glint, leaf, lemon, line, place, shadow, sheet, solid, steps, table } from './drawing.ts';
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
  pine,
  sage,
  sand,
  silver,
  steel,
  straw,
  terracotta,
  walnut,
  white,
} from './palette.ts';

function hills(paper: string, sun: string, far: string, near: string, ground: string, content: string): string {
  return sheet(
    paper,
    `${dot(612, 190, 82, sun)}
    <path d="M0 430C120 330 260 330 400 420C520 490 660 420 800 360V800H0Z" fill="${far}"/>
    <path d="M0 520C160 450 300 460 440 520C580 570 700 540 800 490V800H0Z" fill="${near}"/>
    ${table(ground, 600)}`,
    content,
  );
}

function wateringCan(): string {
  const can = 'M292 352H532L556 612Q558 650 520 650H304Q266 650 268 612Z';
  const spout = 'M290 560L150 318L190 296L300 452Z';
  return hills(
    linen,
    butter,
    '#DDE3C8',
    sage,
    straw,
    `${shadow(412, 648, 150)}
    ${line('M312 352C300 190 520 190 516 352', pine, 24)}
    ${line('M540 420C660 400 668 560 552 584', pine, 24)}
    ${solid(spout, green, '', { shade: 16, light: 0 })}
    ${solid('M96 330L206 268Q222 258 230 274L236 286Q242 298 228 306L122 366Q106 374 98 360L90 346Q86 336 96 330Z', mustard, '', { shade: 4, foot: 14, light: 0 })}
    ${solid(can, green, `<path d="M240 410H580v14H240Z" fill="${pine}"/><path d="M240 590H580v14H240Z" fill="${pine}"/>${each([336, 412, 488], (x) => place(x, 508, each(steps(0, 60, 6), (a) => `<ellipse cx="0" cy="-21" rx="11" ry="17" fill="${cream}" transform="rotate(${a})"/>`) + dot(0, 0, 11, mustard)))}`, { shade: 34, light: 14 })}
    <ellipse cx="412" cy="352" rx="122" ry="22" fill="${pine}"/><ellipse cx="412" cy="355" rx="104" ry="14" fill="${ink}" fill-opacity=".45"/>
    ${glint('M306 440L292 570', 10, 0.4)}
    ${each(
      [
        [96, 404],
        [132, 440],
        [84, 472],
        [150, 500],
        [104, 540],
        [138, 572],
      ] as const,
      ([x, y]) => `<path d="M${x} ${y}c12 18 14 32 0 34c-14 -2 -12 -16 0 -34Z" fill="${cobalt}" fill-opacity=".75"/>`,
    )}`,
  );
}

function lemonTree(): string {
  const ring = (count: number, r: number, length: number, offset: number, fills: readonly string[]) =>
    each(steps(offset, 360 / count, count), (a, i) => {
      const t = (a * Math.PI) / 180;
      return leaf(
        400 + r * Math.cos(t),
        290 + r * 0.92 * Math.sin(t),
        length,
        a + (i % 2 ? 24 : -18),
        fills[i % fills.length] ?? green,
        0.27,
      );
    });
  const blossom = (x: number, y: number) =>
    each(steps(0, 72, 5), (a) => place(x, y, `<ellipse cx="0" cy="-12" rx="8" ry="11" fill="${white}"/>`, a)) +
    dot(x, y, 6, mustard);
  return hills(
    mist,
    cream,
    sage,
    '#C9D3B4',
    clay,
    `${shadow(400, 660, 112)}
    ${solid('M384 330H414C410 400 418 450 422 500H378C384 450 388 400 384 330Z', walnut, '', { shade: 12, light: 0 })}
    ${ring(18, 138, 96, 0, [pine, green, olive])}
    ${solid('M400 122C506 122 570 196 570 290C570 390 500 456 400 456C300 456 230 390 230 290C230 196 294 122 400 122Z', green, ring(14, 84, 92, 10, [pine, olive, '#5E9370']) + ring(8, 26, 84, 20, ['#5E9370', pine, olive]), { shade: 40, foot: 34, light: 0 })}
    ${lemon(318, 250, 30, 96)}${lemon(452, 208, 28, 84)}${lemon(396, 330, 31, 92)}${lemon(500, 330, 29, 98)}${lemon(296, 376, 27, 84)}${lemon(420, 424, 25, 90)}
    ${blossom(388, 192)}${blossom(346, 318)}${blossom(470, 278)}${blossom(262, 300)}
    ${solid('M292 500H508L484 634Q480 660 456 660H344Q320 660 316 634Z', terracotta, `<path d="M200 520H600V536H200Z" fill="${bark}" fill-opacity=".22"/>${each(steps(318, 41, 5), (x) => `<path d="M${x - 20} 590q20.500 -34 41 0" fill="none" stroke="${clay}" stroke-width="7"/>`)}`, { shade: 32, light: 12 })}
    ${solid('M284 474H516Q528 474 528 486V508Q528 520 516 520H284Q272 520 272 508V486Q272 474 284 474Z', terracotta, '', { shade: 26, light: 10, foot: 6 })}`,
  );
}

function handTools(): string {
  const handle = 'M-22 0H22L30 170C32 214 -32 214 -30 170Z';
  const grip =
    solid(handle, oak, `<path d="M-60 120H60v16H-60ZM-60 146H60v8H-60Z" fill="${terracotta}"/>`, {
      shade: 14,
      light: 7,
    }) + dot(0, 182, 8, bark);
  const blade =
    'M-56 -250C-56 -320 -20 -360 0 -384C20 -360 56 -320 56 -250V-150Q56 -112 18 -112H-18Q-56 -112 -56 -150Z';
  const trowel = `${line('M0 -120V0', steel, 22)}${line('M-4 -120V0', silver, 8)}${solid(blade, silver, `<path d="M0 -400H80V-100H0Z" fill="${steel}" fill-opacity=".6"/>`, { shade: 0, light: 8 })}<path d="M-24 -10H24V14H-24Z" fill="${mustard}"/>${grip}`;
  const tines =
    'M-64 -370C-54 -376 -46 -370 -46 -356V-214Q-46 -196 -32 -196Q-10 -196 -10 -218V-366Q0 -384 10 -366V-218Q10 -196 32 -196Q46 -196 46 -214V-356C46 -370 54 -376 64 -370V-186Q64 -140 26 -140H-26Q-64 -140 -64 -186Z';
  const fork = `${line('M0 -146V0', steel, 22)}${line('M-4 -146V0', silver, 8)}${solid(tines, silver, '', { shade: 9, light: 4 })}<path d="M-24 -10H24V14H-24Z" fill="${mustard}"/>${grip}`;
  const outline = `${blade}M-22 0H22L30 170C32 214 -32 214 -30 170Z`;
  return sheet(
    sand,
    `<path d="M0 0H800V800H0Z" fill="${sage}"/>${each(steps(0, 134, 6), (x) => `<path d="M${x} 0h126V800h-126Z" fill="#BDCAA5"/>`)}<path d="M0 120H800v10H0ZM0 660H800v10H0Z" fill="${olive}" fill-opacity=".25"/>`,
    `${place(300, 500, place(20, 26, `<path d="${outline}" fill="${bark}" fill-opacity=".28" filter="url(#near)"/>`) + trowel, -14)}
    ${place(504, 500, place(20, 26, `<path d="${tines}M-22 0H22L30 170C32 214 -32 214 -30 170Z" fill="${bark}" fill-opacity=".28" filter="url(#near)"/>`) + fork, 14)}
    ${place(402, 640, each([-150, -110, -70, -30], (a, i) => leaf(0, 20, 96, a, i % 2 ? pine : green, 0.22)) + each(steps(0, 60, 6), (a) => place(0, 18, `<ellipse cx="0" cy="-26" rx="14" ry="22" fill="${white}"/>`, a)) + dot(0, 18, 15, mustard))}`,
  );
}

function birdHouse(): string {
  const wall = 'M270 330L400 214L530 330V556H270Z';
  const roof = 'M400 142L590 314L556 352L400 212L244 352L210 314Z';
  const bird = `${solid('M-66 6C-66 -40 -24 -56 8 -44C22 -62 58 -60 64 -32C74 16 40 50 -6 50C-36 50 -58 36 -66 6Z', cobalt, `<path d="M-20 10C10 0 40 -30 70 -20V70H-30Z" fill="${clay}"/>`, { shade: 10, light: 0, foot: 6 })}<path d="M62 -38L92 -28L62 -18Z" fill="${mustard}"/>${dot(44, -32, 6, ink)}<path d="M-60 0L-118 -20L-108 20L-54 24Z" fill="${ink}"/><path d="M-44 -6C-20 -20 16 -12 18 10C0 30 -36 24 -44 -6Z" fill="${navy}"/>${line('M-6 50V66M14 48V66', bark, 5)}`;
  return hills(
    blush,
    cream,
    '#E8D8BB',
    sage,
    olive,
    `${shadow(400, 690, 60, 12)}
    ${solid('M378 540H422V690H378Z', walnut, '', { shade: 14, light: 6 })}
    ${solid(wall, cream, `${each(steps(330, 56, 5), (y) => `<path d="M200 ${y}H600v4H200Z" fill="${straw}"/>`)}<path d="M270 330L400 212L530 330V380L400 262L270 380Z" fill="${bark}" fill-opacity=".16"/>`, { shade: 26, light: 10 })}
    ${dot(400, 392, 56, oak)}${dot(400, 392, 44, ink)}<path d="M356 392a44 44 0 0 1 88 0a46 40 0 0 0 -88 0Z" fill="#141D2C"/>
    ${solid(
      roof,
      terracotta,
      each(steps(244.5, 69.1, 5), (x) => `<path d="M${x} 120h34.500V360h-34.500Z" fill="${cream}"/>`),
      { shade: 6, foot: 12, light: 0 },
    )}
    ${solid('M246 546H554Q564 546 564 556V568Q564 578 554 578H246Q236 578 236 568V556Q236 546 246 546Z', walnut, '', { shade: 16, light: 0 })}
    ${solid('M392 484H408V546H392Z', walnut, '', { shade: 5, light: 0 })}${dot(400, 482, 13, amber)}
    ${place(486, 480, bird)}
    ${leaf(300, 690, 110, -120, pine, 0.2)}${leaf(290, 692, 90, -152, green, 0.2)}${leaf(500, 694, 110, -62, pine, 0.2)}${leaf(512, 696, 88, -24, green, 0.2)}`,
  );
}

export const garden = {
  'GAR-001': wateringCan(),
  'GAR-002': lemonTree(),
  'GAR-003': handTools(),
  'GAR-004': birdHouse(),
};

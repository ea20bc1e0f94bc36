// Paper: things lying on a desk, under the light of a window.
import { dot, dropShadow, each, leaf, line, place, sheet, solid, steps, tile } from './drawing.ts';
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

function desk(colour: string, content: string): string {
  const pane = (x: number, y: number) => `<path d="M${x} ${y}h210l-110 210h-210Z" fill="${white}" fill-opacity=".3"/>`;
  return sheet(
    colour,
    each(
      [
        [330, 60],
        [560, 60],
        [208, 290],
        [438, 290],
        [86, 520],
        [316, 520],
      ] as const,
      ([x, y]) => pane(x, y),
    ),
    content,
  );
}

function pencil(colour: string): string {
  return `${dropShadow('M-14 -210H14V180L0 220L-14 180Z', 10, 12)}
    <path d="M-14 150H14L0 224Z" fill="${straw}"/><path d="M-5 198H5L0 224Z" fill="${ink}"/>
    <path d="M-14 -190H14V152q-7 10 -14 0q-7 10 -14 0Z" fill="${colour}"/><path d="M4 -190H14V152q-5 8 -10 2Z" fill="${bark}" fill-opacity=".22"/>
    <path d="M-14 -204H14V-178H-14Z" fill="${mustard}"/><path d="M-14 -204V-222Q0 -236 14 -222V-204Z" fill="${clay}"/>`;
}

function notebook(): string {
  const cover = 'M-190 -260H178Q200 -260 200 -238V238Q200 260 178 260H-190Z';
  const places = steps(-88, 96, 4).flatMap((x) => steps(-208, 96, 6).map((y) => [x, y] as const));
  return desk(
    linen,
    `${place(
      376,
      400,
      `${dropShadow(cover, 18, 24)}
      <path d="M-170 -246H194Q208 -246 208 -232V256Q208 270 194 270H-170Z" fill="${navy}"/><path d="M-170 -240H190V264H-170Z" fill="${cream}"/>
      ${line('M-150 264H200', straw, 3)}
      <path d="M90 250H116V330L103 314L90 330Z" fill="${red}"/>
      ${solid(cover, cobalt, `${each(places, ([x, y]) => tile(x, y, 94, cream, butter))}<path d="M-200 -270H-138V270H-200Z" fill="${terracotta}"/><path d="M-138 -270h8V270h-8Z" fill="${bark}" fill-opacity=".25"/>`, { shade: 8, foot: 8, light: 8 })}
      <path d="M140 -260H162V260H140Z" fill="${mustard}"/><path d="M156 -260H162V260H156Z" fill="${bark}" fill-opacity=".25"/>`,
      -8,
    )}
    ${place(676, 404, pencil(pine), 7)}`,
  );
}

function letterSet(): string {
  const body = 'M-220 -140H220Q230 -140 230 -130V150Q230 160 220 160H-220Q-230 160 -230 150V-130Q-230 -140 -220 -140Z';
  const border = (colour: string, offset: number) =>
    `<path d="M-219 -129H219V149H-219Z" fill="none" stroke="${colour}" stroke-width="22" stroke-dasharray="26 76" stroke-dashoffset="${offset}"/>`;
  const petal = each(
    steps(0, 45, 8),
    (a) => `<ellipse cx="0" cy="-13" rx="5" ry="11" fill="${clay}" transform="rotate(${a})"/>`,
  );
  return desk(
    sage,
    `${place(
      430,
      268,
      `${dropShadow(body)}${solid(body, cream, border(cobalt, 0) + border(terracotta, 51), { shade: 0, light: 0 })}
      ${place(150, -52, `<path d="M-37 -46H37V46H-37Z" fill="${white}"/><path d="M-29 -38H29V38H-29Z" fill="${sky}"/><path d="M-29 38V16Q0 0 29 16V38Z" fill="${green}"/>${dot(10, -14, 12, mustard)}`)}
      ${line('M-160 50H20M-160 84H-30', straw, 8)}`,
      10,
    )}
    ${place(
      376,
      512,
      `${dropShadow(body, 16, 26)}${solid(body, blush, '', { shade: 6, foot: 6, light: 0 })}
      <path d="M-228 156L-20 0H20L228 156Q224 160 220 160H-220Q-224 160 -228 156Z" fill="${clay}" fill-opacity=".45"/>
      <path d="M-226 -138L-20 66Q0 84 20 66L226 -138Z" transform="translate(0 10)" fill="${bark}" fill-opacity=".18"/>
      <path d="M-226 -138Q-222 -140 -220 -140H220Q222 -140 226 -138L20 58Q0 76 -20 58Z" fill="#F6DCCB"/>
      ${solid('M0 -6C26 -12 60 6 58 40C64 70 34 98 4 94C-30 100 -60 74 -56 42C-62 10 -32 -10 0 -6Z', red, `<circle cx="0" cy="44" r="38" fill="none" stroke="${bark}" stroke-opacity=".3" stroke-width="5"/>`, { shade: 10, foot: 8, light: 6 })}
      ${place(0, 44, petal + dot(0, 0, 6, butter))}`,
      -6,
    )}
    ${leaf(640, 690, 130, -130, pine, 0.18)}${leaf(640, 690, 120, -96, green, 0.18)}${leaf(640, 690, 110, -166, green, 0.18)}`,
  );
}

function wrappingPaper(): string {
  const tube = 'M-62 -330H62V250Q0 270 -62 250Z';
  const roll = (colour: string, pattern: string, core: string) =>
    `${dropShadow(tube, 18, 14)}${solid(tube, colour, pattern, { shade: 28, light: 12 })}
    <ellipse cx="0" cy="-330" rx="62" ry="22" fill="${cream}"/><path d="M44 -330c0 -18 -86 -20 -88 0c0 16 66 16 66 0c0 -10 -42 -10 -42 0" fill="none" stroke="${core}" stroke-width="5"/><ellipse cx="0" cy="-330" rx="12" ry="5" fill="${bark}"/>`;
  const grid = (dx: number, dy: number) =>
    steps(-70, dx, 6).flatMap((x, i) => steps(-310 + (i % 2) * (dy / 2), dy, 12).map((y) => [x, y] as const));
  const oranges = each(grid(40, 76), ([x, y]) => dot(x, y, 15, mustard) + leaf(x, y - 13, 22, -30, pine));
  const zigzag = each(steps(-340, 48, 14), (y, i) =>
    line(`M-80 ${y}l20 22l20 -22l20 22l20 -22l20 22l20 -22l20 22l20 -22`, i % 2 ? cream : terracotta, 10),
  );
  const sprigs = each(
    grid(46, 70),
    ([x, y]) => leaf(x, y, 30, -60, cream, 0.24) + leaf(x, y, 30, -130, cream, 0.24) + dot(x, y - 26, 5, butter),
  );
  return desk(
    blush,
    `${place(268, 430, roll(cobalt, zigzag, sky), -13)}${place(540, 430, roll(pine, sprigs, sage), 13)}${place(404, 420, roll(cream, oranges, straw))}
    ${line('M268 532Q404 566 548 532', straw, 16)}${line('M268 536Q404 572 548 536', walnut, 4, 'stroke-dasharray="10 8" stroke-opacity=".7"')}
    ${place(404, 552, `${line('M0 0C-20 40 -30 80 -54 118M0 0C16 40 34 70 40 124', straw, 13)}${line('M0 0C-50 -54 -112 -34 -96 6C-86 34 -40 22 0 0C40 22 86 34 96 6C112 -34 50 -54 0 0', straw, 13)}${dot(0, 0, 17, amber)}`)}`,
  );
}

function swallowPrint(): string {
  const wing =
    'M0 -96C18 -96 24 -80 24 -62C76 -72 138 -36 182 44C134 4 84 -2 36 14C32 42 22 60 17 78C28 102 42 134 62 176C36 146 14 116 0 98Z';
  const frame = 'M-220 -270H220V270H-220Z';
  const waves = each(steps(0, 34, 4), (y, i) =>
    line(
      `M-200 ${112 + y}q25 -26 50 0t50 0t50 0t50 0t50 0t50 0t50 0t50 0`,
      i % 2 ? sky : cream,
      9,
      `transform="translate(${i % 2 ? -25 : 0} 0)"`,
    ),
  );
  return sheet(
    mist,
    `<path d="M0 0H800V800H0Z" fill="${sand}"/><path d="M0 560H800V800H0Z" fill="${straw}"/><path d="M0 548H800v14H0Z" fill="${cream}"/>`,
    place(
      400,
      400,
      `${dropShadow(frame, 22, 30)}${solid(frame, walnut, '', { shade: 10, foot: 10, light: 8 })}
      <path d="M-196 -246H196V246H-196Z" fill="${white}"/><path d="M-196 -246H196V-236H-186V246H-196Z" fill="${bark}" fill-opacity=".18"/>
      ${solid('M-146 -196H146V196H-146Z', butter, `${dot(56, -92, 62, terracotta)}<path d="M-200 82H200V260H-200Z" fill="${cobalt}"/>${waves}`, { shade: 0, light: 0 })}
      ${place(
        -2,
        -22,
        each(
          [1, -1],
          (side) =>
            `<g transform="scale(${side} 1)"><path d="${wing}" fill="${ink}"/><path d="M30 -46C80 -50 124 -22 156 16C116 -12 74 -20 30 -14Z" fill="${navy}"/>${line('M22 112L40 144', cream, 5)}</g>`,
        ) +
          line('M0 -80V84', ink, 8) +
          `<path d="M-9 -92L0 -112L9 -92Z" fill="${mustard}"/><path d="M-15 -88C-8 -98 8 -98 15 -88C18 -74 -18 -74 -15 -88Z" fill="${red}"/>`,
        48,
        0.76,
      )}
      <path d="M196 -246L60 246H196Z" fill="${white}" fill-opacity=".14"/>`,
    ),
  );
}

export const paper = {
  'PAP-001': notebook(),
  'PAP-002': letterSet(),
  'PAP-003': wrappingPaper(),
  'PAP-004': swallowPrint(),
};

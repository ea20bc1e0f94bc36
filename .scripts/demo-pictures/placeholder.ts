// What stands in for a product without a picture: a parcel still in its wrapping.
import { dot, leaf, line, place, shadow, sheet, solid, table } from './drawing.ts';
import { bark, cream, linen, oak, sage, sand, straw, terracotta, walnut, white } from './palette.ts';

function parcel(): string {
  const box = 'M224 330H576V632Q576 650 558 650H242Q224 650 224 632Z';
  const folds = `<path d="M224 330L400 474L576 330Z" fill="${white}" fill-opacity=".22"/>
    ${line('M224 330L400 474L576 330', walnut, 4, 'stroke-opacity=".4"')}`;
  const bow = `${line('M0 0C-34 -78 -128 -66 -116 -12C-108 26 -44 16 0 0C44 16 108 26 116 -12C128 -66 34 -78 0 0', walnut, 12)}
    ${line('M0 0C-22 34 -38 52 -66 70M0 0C20 34 34 58 52 84', walnut, 12)}${dot(0, 0, 14, walnut)}`;
  const tag = `${line('M0 0C20 20 30 30 46 34', walnut, 5)}
    ${solid('M46 34L84 16H168Q176 16 176 24V66Q176 74 168 74H84Z', cream, leaf(100, 56, 58, -24, sage, 0.3), { shade: 6, foot: 4, light: 0 })}${dot(74, 42, 6, terracotta)}`;
  return sheet(
    linen,
    `${dot(400, 400, 310, sand)}${table(straw)}`,
    `${shadow(400, 648, 180)}
    ${solid(box, oak, folds, { shade: 34, light: 12, foot: 10 })}
    <path d="M224 330H576L548 296H252Z" fill="${straw}"/><path d="M394 296H412V330H394Z" fill="${bark}" fill-opacity=".8"/>
    ${line('M403 330V646M228 508H572', walnut, 12)}
    ${place(403, 330, tag, 18)}${place(403, 316, bow)}`,
  );
}

export const placeholder = parcel();

// Ceramics: each piece stands in a white-washed niche.
import {
  dot,
  each,
  glint,
  leaf,
  lemon,
  lemonHalf,
  line,
  place,
  shadow,
  sheet,
  solid,
  steam,
  steps,
  table,
  tile,
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
  olive,
  red,
  sand,
  sky,
  straw,
  terracotta,
  white,
} from './palette.ts';

function niche(paper: string, inside: string, top: string, content: string): string {
  const arch = (inset: number) => `M${96 + inset} 800V372A${304 - inset} ${304 - inset} 0 0 1 ${704 - inset} 372V800Z`;
  return sheet(
    paper,
    `<path d="${arch(0)}" fill="${white}" fill-opacity=".55"/><path d="${arch(24)}" fill="${inside}"/>${table(top)}`,
    content,
  );
}

function waterJug(): string {
  const body =
    'M286 166C312 202 338 244 332 292C324 348 246 392 246 486C246 552 280 596 330 618V650H474V618C524 596 558 552 558 486C558 392 484 348 474 292C469 250 474 214 486 184Z';
  const handle = 'M478 246C560 200 640 262 616 350C602 400 566 424 538 440';
  const painted = `
		<path d="M200 416H600V554H200Z" fill="${cobalt}"/>
		${each([278, 361, 444, 527], (x) => tile(x, 485, 84, cream, butter))}
		<path d="M200 394H600v9H200ZM200 567H600v9H200ZM200 632H600v30H200ZM280 292H540v12H280ZM280 314H540v5H280Z" fill="${cobalt}"/>
		${each(steps(276, 36, 8), (x) => `<path d="M${x} 603l10 -12l10 12l-10 12Z" fill="${cobalt}"/>`)}`;
  return niche(
    sand,
    blush,
    straw,
    `${shadow(402, 648, 150)}
		${line(handle, cream, 36)}${line('M498 258C566 216 622 274 602 346', white, 8)}
		${solid(body, cream, painted, { shade: 34, light: 14, foot: 10 })}
		<path d="M286 166C350 140 452 146 486 184C440 214 346 208 286 166Z" fill="${white}"/>
		<path d="M308 170C360 154 440 158 470 184C430 202 354 198 308 170Z" fill="${navy}"/>
		${glint('M288 470C290 430 306 404 324 384', 10)}`,
  );
}

function speckledMug(): string {
  const body = 'M216 312H536V548Q536 650 434 650H318Q216 650 216 548Z';
  const glaze =
    'M200 280H560V470C536 466 528 500 510 500C488 500 490 470 462 470C428 470 446 540 412 540C380 540 398 478 366 478C340 478 346 512 324 512C300 512 304 468 276 470C246 472 262 528 232 528C212 528 214 500 200 490Z';
  const specks = [
    [246, 560, 4],
    [268, 610, 3],
    [300, 548, 3],
    [330, 588, 5],
    [352, 630, 3],
    [380, 552, 4],
    [404, 606, 3],
    [432, 574, 5],
    [462, 626, 3],
    [470, 556, 3],
    [498, 590, 4],
    [286, 582, 3],
    [246, 380, 3],
    [300, 420, 4],
    [338, 376, 3],
    [376, 440, 3],
    [420, 392, 4],
    [452, 448, 3],
    [494, 410, 4],
    [270, 450, 3],
    [512, 452, 3],
  ] as const;
  return niche(
    linen,
    mist,
    sand,
    `${shadow(380, 648, 160)}
		${line('M530 372C640 348 650 540 520 548', terracotta, 38)}${line('M548 366C628 360 640 500 560 534', white, 7, 'stroke-opacity=".35"')}
		${solid(
      body,
      straw,
      `<path d="${glaze}" fill="${terracotta}"/>${each(specks, ([x, y, r]) => dot(x, y, r, y > 540 ? bark : butter))}`,
      { shade: 40, foot: 12, light: 16 },
    )}
		<ellipse cx="376" cy="312" rx="160" ry="40" fill="${clay}"/>
		<ellipse cx="376" cy="314" rx="142" ry="31" fill="${bark}"/>
		<path d="M238 322A142 31 0 0 0 514 322A160 28 0 0 0 238 322Z" fill="#432A1E"/>
		${glint('M250 420V530', 12, 0.4)}
		${steam(330, 250)}`,
  );
}

function lemonPlatter(): string {
  const plate = 'M400 168A240 240 0 1 1 399.9 168Z';
  const rim = each(steps(0, 15, 24), (a) =>
    place(400, 408, `<path d="M-24 -232L0 -196L24 -232Z" fill="${cobalt}"/>${dot(0, -186, 5, cobalt)}`, a),
  );
  return niche(
    sand,
    sky,
    linen,
    `${shadow(400, 652, 176, 18)}
    ${solid(plate, white, rim, { shade: 12, foot: 12, light: 0 })}
    <circle cx="400" cy="408" r="174" fill="${cream}"/>
    <path d="M400 234A174 174 0 0 0 400 582A182 182 0 0 1 270 408A182 182 0 0 1 400 234Z" fill="${ink}" fill-opacity=".07"/>
    <circle cx="400" cy="408" r="174" fill="none" stroke="${cobalt}" stroke-width="5"/>
    ${line('M284 314C340 344 440 340 512 300', olive, 7)}
    ${leaf(322, 328, 88, -112, olive)}${leaf(406, 336, 96, -66, green)}${leaf(470, 320, 78, -108, olive)}
    ${leaf(310, 328, 84, 118, green)}${leaf(478, 320, 88, 52, green)}${leaf(400, 338, 70, 92, olive)}
    ${lemon(340, 432, 50, 66)}${lemon(464, 430, 50, 114)}${lemonHalf(402, 506, 50)}
    ${dot(512, 300, 13, white)}${dot(512, 300, 5, mustard)}${dot(284, 314, 13, white)}${dot(284, 314, 5, mustard)}`,
  );
}

function marketRooster(): string {
  const body =
    'M262 244C262 196 296 166 334 170C372 174 388 210 390 256C394 320 430 344 490 336C520 332 548 318 566 300C590 420 520 536 396 536C300 536 246 460 252 372C254 330 264 290 262 244Z';
  const plumes = [
    [red, 'M470 440C540 380 520 210 622 186'],
    [mustard, 'M476 444C556 392 548 276 640 260'],
    [cobalt, 'M480 452C560 420 566 342 638 336'],
    [green, 'M480 464C550 446 572 410 618 406'],
  ] as const;
  const heart = 'M0 30C-60 -10 -44 -56 -14 -50C-4 -48 0 -38 0 -32C0 -38 4 -48 14 -50C44 -56 60 -10 0 30Z';
  return niche(
    linen,
    butter,
    clay,
    `${shadow(396, 652, 130)}
		${each(plumes, ([colour, d]) => line(d, colour, 58) + line(d, white, 6, 'stroke-opacity=".5" stroke-dasharray="1 22"'))}
		
		${line('M372 520V590', mustard, 16)}${line('M428 520V590', amber, 16)}
		${solid(
      'M270 650C270 590 330 566 396 566C462 566 524 590 524 650Z',
      cobalt,
      each(steps(296, 50, 5), (x, i) => dot(x, 626 - (i % 2) * 26, 9, cream)),
      { shade: 22 },
    )}
		<path d="M270 208C240 150 286 140 292 164C292 116 344 114 340 152C366 126 398 160 366 194Z" fill="${red}"/>
		${solid(body, ink, `<path d="M230 326C300 356 350 346 400 320L392 286C340 316 300 310 240 290Z" fill="${terracotta}"/>${each(steps(262, 32, 5), (x, i) => dot(x, 316 + Math.sin(i * 1.1) * 12, 6, cream))}`, { shade: 22, light: 0 })}
		<path d="M266 222L206 240L264 262Z" fill="${mustard}"/><path d="M268 262C240 270 238 316 262 316C284 316 286 280 268 262Z" fill="${red}"/>
		${dot(308, 216, 15, white)}${dot(306, 217, 7, ink)}
		${place(402, 436, `<path d="${heart}" fill="${red}" transform="scale(1.35)"/><path d="${heart}" fill="${butter}" transform="scale(.5) translate(0 -16)"/>`)}
		${each(
      [
        [330, 470],
        [470, 410],
        [456, 478],
        [402, 500],
        [306, 420],
      ] as const,
      ([x, y]) => dot(x, y, 8, cream),
    )}
		${each(
      [
        [330, 440],
        [476, 446],
      ] as const,
      ([x, y]) => dot(x, y, 5, mustard),
    )}`,
  );
}

export const ceramics = {
  'CER-001': waterJug(),
  'CER-002': speckledMug(),
  'CER-003': lemonPlatter(),
  'CER-004': marketRooster(),
};

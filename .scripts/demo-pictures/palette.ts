/** The one paint box of every demo picture; a colour that is not here does not belong on the page. */
export const ink = '#26334A';
export const navy = '#1F4578';
export const cobalt = '#2F63A8';
export const sky = '#8DB7D3';
export const mist = '#D5E3E4';

export const red = '#B23A32';
export const terracotta = '#C8623C';
export const clay = '#E1936A';
export const blush = '#F1CFB8';

export const orange = '#E2893B';
export const amber = '#CF8420';
export const mustard = '#E5AC38';
export const butter = '#F6DA8C';

export const pine = '#2F5A48';
export const leaf = '#4F8060';
export const olive = '#7C8746';
export const sage = '#B4C29A';

export const bark = '#6A4631';
export const walnut = '#96673F';
export const oak = '#C99B65';
export const straw = '#E5C794';

export const steel = '#8F9DA6';
export const silver = '#BCC7C9';

export const sand = '#E9D9BD';
export const linen = '#F2E6D0';
export const cream = '#FBF3E3';
export const white = '#FFFDF8';

/** Shade is a warm brown laid over a colour, never black. */
export const shadeInk = '#4A2A18';

// Small drawings, as elements: no font, no file, no inline style.

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
    play: 'M8 5v14l11-7z',
    pause: 'M7 5h4v14H7zM13 5h4v14h-4z',
    again: 'M12 5V2L7 6.5 12 11V8a5 5 0 1 1-5 5H4a8 8 0 1 0 8-8z',
    first: 'M6 5h3v14H6zM19 5v14l-9-7z',
    back: 'M12 5V2L7 6.5 12 11V8a5 5 0 1 1-5 5H4a8 8 0 1 0 8-8z',
    ahead: 'M12 5V2l5 4.5-5 4.5V8a5 5 0 1 0 5 5h3a8 8 0 1 1-8-8z',
    loud: 'M4 9v6h4l5 5V4L8 9zm11.5 3a3.5 3.5 0 0 0-2-3.2v6.4a3.5 3.5 0 0 0 '
          + '2-3.2zm-2-8v2.1a6 6 0 0 1 0 11.8V20a8 8 0 0 0 0-16z',
    mute: 'M4 9v6h4l5 5V4L8 9zM15.7 9.1l1.4-1.4 2.4 2.4 2.4-2.4 1.4 1.4-2.4 '
          + '2.4 2.4 2.4-1.4 1.4-2.4-2.4-2.4 2.4-1.4-1.4 2.4-2.4z',
    pip: 'M3 5h18v14H3zm2 2v10h14V7zm6 4h7v5h-7z',
    full: 'M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4z'
          + 'm14 0h2v6h-6v-2h4z',
    keys: 'M2 6h20v12H2zm2 2v8h16V8zm1.5 1.5h2v2h-2zm3.5 0h2v2H9z'
          + 'm3.5 0h2v2h-2zm3.5 0h2.5v2H16zM7 13h10v1.8H7z',
    keep: 'M6 3h12v18l-6-4.5L6 21z',
    remove: 'M9 3h6l1 2h4v2H4V5h4zM6 9h12l-1 12H7zm3.5 2v8h1.5v-8z'
            + 'm3.5 0v8h1.5v-8z',
    eye: 'M12 5C6.5 5 2.7 9.4 1.5 12c1.2 2.6 5 7 10.5 7s9.3-4.4 10.5-7'
         + 'C21.3 9.4 17.5 5 12 5zm0 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9z'
         + 'm0-2a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
    gap: 'M12 2 1 21h22zm-1 7h2v6h-2zm0 8h2v2h-2z',
};


export function icon(name) {
    const svg = document.createElementNS(SVG, 'svg');

    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('class', 'icon');
    svg.append(document.createElementNS(SVG, 'path'));
    draw(svg, name);
    return svg;
}


export function draw(svg, name) {
    if (svg.dataset.icon !== name) {
        svg.dataset.icon = name;
        svg.firstChild.setAttribute('d', PATHS[name]);
    }
}

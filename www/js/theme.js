// Light or dark: as the browser says, until somebody chooses.  The style sheet
// has both colours of each token in light-dark(), so this is one attribute.

const STORED = 'mntreamer.theme';
const THEMES = ['light', 'dark'];


function stored() {
    try {
        return localStorage.getItem(STORED);
    } catch {
        return null;
    }
}


function apply(theme) {
    if (THEMES.includes(theme)) {
        document.documentElement.dataset.theme = theme;
    } else {
        delete document.documentElement.dataset.theme;
    }
}


export function start(select) {
    const theme = stored();

    select.value = THEMES.includes(theme) ? theme : 'auto';
    apply(theme);

    select.addEventListener('change', () => {
        apply(select.value);

        try {
            localStorage.setItem(STORED, select.value);
        } catch {
            // then it is forgotten with the page
        }
    });
}

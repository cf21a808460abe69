// hls.js, a script and no module, is fetched when something is to be played.

let loaded = null;


// gives its class, or undefined when it is not there

export function loadHls() {
    loaded ??= new Promise((done) => {
        const script = document.createElement('script');

        script.src = 'vendor/hls.min.js';
        script.addEventListener('load', () => done(window.Hls));
        script.addEventListener('error', () => {
            loaded = null;
            script.remove();
            done(undefined);
        });
        document.head.append(script);
    });

    return loaded;
}

// The page's words.  Elements name theirs in data-text or data-placeholder;
// everything else asks t().

const WORDS = {
    en: {
        language: 'Language',
        live_title: 'Live now',
        live_empty: 'None of the watched channels is live.',
        recordings_title: 'Recordings',
        recordings_empty: 'Nothing has been recorded yet.',
        add_title: 'Watch another channel',
        add_label: 'Channel id, nickname or address',
        add_button: 'Watch',
        add_done: 'Watching {name}.',
        add_missing: 'Type a channel id, a nickname or an address first.',
        add_failed: 'It was not added: {why}',
        platform: 'Platform',
        play: 'Play',
        play_label: 'Play {name}',
        from_start: 'From the beginning',
        live_edge: 'Live',
        close: 'Close',
        more: 'Show more',
        untitled: 'No title',
        viewers: '{n} viewers',
        since: 'since {time}',
        gaps_none: 'no gaps',
        gaps: '{n} gaps, {seconds} lost',
        state_recording: 'Recording',
        state_recorded: 'Recorded',
        state_done: 'Recorded',
        state_deleted: 'Deleted',
        state_live: 'Live',
        note_growing: 'Being recorded: it can be rewound to its beginning.',
        note_waiting: 'Waiting for its first seconds…',
        note_gone: 'This recording is not there any more.',
        note_failed: 'It cannot be played: {why}',
        note_unsupported: 'This browser cannot play HLS.',
        trouble_unreachable: 'The server does not answer. Trying again…',
        trouble_database: 'The database is away; lists come back with it. '
                          + 'Recordings go on.',
        trouble_http: 'The server answered {status}: {why}',
    },
    ko: {
        language: '언어',
        live_title: '지금 방송 중',
        live_empty: '지켜보는 채널 가운데 방송 중인 곳이 없습니다.',
        recordings_title: '녹화',
        recordings_empty: '아직 녹화된 것이 없습니다.',
        add_title: '채널 더 지켜보기',
        add_label: '채널 ID, 닉네임 또는 주소',
        add_button: '지켜보기',
        add_done: '{name} 채널을 지켜봅니다.',
        add_missing: '먼저 채널 ID, 닉네임 또는 주소를 입력하세요.',
        add_failed: '추가하지 못했습니다: {why}',
        platform: '플랫폼',
        play: '재생',
        play_label: '{name} 재생',
        from_start: '처음부터',
        live_edge: '실시간',
        close: '닫기',
        more: '더 보기',
        untitled: '제목 없음',
        viewers: '시청자 {n}명',
        since: '{time}부터',
        gaps_none: '빠진 곳 없음',
        gaps: '빠진 곳 {n}군데, {seconds}',
        state_recording: '녹화 중',
        state_recorded: '녹화됨',
        state_done: '녹화됨',
        state_deleted: '삭제됨',
        state_live: '방송 중',
        note_growing: '녹화 중입니다. 처음으로 되감을 수 있습니다.',
        note_waiting: '첫 장면을 기다리는 중…',
        note_gone: '이 녹화는 더 이상 없습니다.',
        note_failed: '재생할 수 없습니다: {why}',
        note_unsupported: '이 브라우저는 HLS를 재생하지 못합니다.',
        trouble_unreachable: '서버가 응답하지 않습니다. 다시 시도합니다…',
        trouble_database: '데이터베이스에 연결할 수 없습니다. 목록은 연결되면 '
                          + '돌아오고, 녹화는 계속됩니다.',
        trouble_http: '서버 응답 {status}: {why}',
    },
};

const STORED = 'mntreamer.language';

let current = 'en';


function stored() {
    try {
        return localStorage.getItem(STORED);
    } catch {
        return null;        // storage may be switched off
    }
}


function preferred() {
    for (const tag of [stored(), ...navigator.languages]) {
        const language = tag?.toLowerCase().split('-')[0];

        if (language in WORDS) {
            return language;
        }
    }

    return 'en';
}


export function language() {
    return current;
}


export function t(key, values = {}) {
    const words = WORDS[current][key] ?? WORDS.en[key] ?? key;

    return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}


function apply() {
    document.documentElement.lang = current;

    for (const e of document.querySelectorAll('[data-text]')) {
        e.textContent = t(e.dataset.text);
    }

    for (const e of document.querySelectorAll('[data-placeholder]')) {
        e.placeholder = t(e.dataset.placeholder);
    }
}


// changed() is called when somebody chose another language

export function start(select, changed) {
    current = preferred();
    select.value = current;
    apply();

    select.addEventListener('change', () => {
        current = select.value;

        try {
            localStorage.setItem(STORED, current);
        } catch {
            // then it is forgotten with the page
        }

        apply();
        changed();
    });
}

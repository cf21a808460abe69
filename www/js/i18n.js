// The page's words.  Elements name theirs in data-text or data-placeholder;
// everything else asks t().

const WORDS = {
    en: {
        language: 'Language',
        live_title: 'Live now',
        live_empty: 'None of the watched channels is live.',
        recordings_title: 'Recordings',
        recordings_empty: 'Nothing has been recorded yet.',
        add_label: 'Channel id, nickname or address',
        add_button: 'Watch',
        add_done: 'Watching {name}.',
        add_missing: 'Type a channel id, a nickname or an address first.',
        add_failed: '{name} was not added: {why}',
        add_waiting: 'Looking it up…',
        watched_title: 'Watched channels',
        watched_link: 'Channels',
        watched_empty: 'No channel is watched yet. Add one above.',
        watched_none: 'No watched channel is called that.',
        watched_find: 'Find a watched channel',
        watched_hint: 'Several at once: one a line (Shift+Enter).',
        watched_removed: '{name} is not watched any more.',
        checked: 'checked {time}',
        check_next: 'next {time}',
        recorded: '{n} recordings',
        recorded_one: '{n} recording',
        quality: 'Quality',
        quality_of: 'Quality of {name}',
        quality_best: 'best quality',
        quality_worst: 'lowest quality',
        quality_audio: 'sound only',
        pause: 'Pause',
        pause_of: 'Pause {name}',
        unpause: 'Watch again',
        unpause_of: 'Watch {name} again',
        remove: 'Remove',
        remove_of: 'Remove {name}',
        remove_sure: 'Stop watching {name}? Its recordings stay.',
        remove_ends: 'What is being recorded now ends here.',
        remove_config: 'While nginx.conf names it, it comes back with every '
                       + 'reload or start.',
        watch_paused: 'Paused',
        watch_new: 'Not checked yet',
        watch_offline: 'Off the air',
        watch_live: 'Live, not recorded yet',
        'watch_live-not-playable': 'Live, but cannot be recorded',
        'watch_not-live': 'In a state that is not known',
        'watch_unknown-channel': 'No such channel',
        'watch_transient-error': 'Could not be asked',
        'watch_rate-limited': 'Too many questions',
        watch_error: 'Question refused',
        watch_malformed: 'Answer not understood',
        'watch_access-denied': 'Access denied',
        'watch_token-expired-or-denied': 'Address expired',
        why_adult: 'It is for adults: cookies of an account that may see it '
                   + 'are needed.',
        why_region: 'It is not shown in this region.',
        why_membership: 'It is for members only.',
        why_unknown: 'The platform does not say why.',
        why_resolve: 'The name of its server is not known.',
        why_connect: 'Its server takes no connection.',
        why_tls: 'There was no secure connection to its server.',
        why_timeout: 'It did not answer in time.',
        why_cut: 'The answer was cut off.',
        why_too_large: 'The answer was too large.',
        why_forbidden: 'Addresses like this are not fetched, unless '
                       + 'fetch_allow in nginx.conf says so.',
        why_ended: 'Its playlist has ended.',
        why_vod: 'Its playlist is a finished video, not a live one.',
        'why_no-room': 'The server has no room for another recording.',
        why_other: 'Reason: {why}',
        error_channel_not_found: 'the platform has no such channel.',
        error_unknown_platform: 'this is no address of a known platform.',
        error_bad_channel: 'this is no channel id, nickname or address of '
                           + 'the platform.',
        error_lookup_failed: 'the platform could not be asked. Try again '
                             + 'later.',
        error_lookup_limited: 'the platform asks to wait. Try again later.',
        error_forbidden: 'only who is allowed to by nginx.conf may change '
                         + 'channels; normally that is this machine.',
        error_unauthorized: 'you are not logged in.',
        error_cross_origin: 'the server knows this page by another address '
                            + '(see "Host" in docs/api.md).',
        error_streamer_not_found: 'it is not there any more.',
        error_recording_not_found: 'it is not there any more.',
        error_conflict: 'what is stored contradicts it.',
        own_title: 'Own channels',
        own_mark: 'own channel',
        own_name: 'Name of a new channel',
        own_add: 'Add',
        own_added: '{name} was added. Make a stream key for it below.',
        own_missing: 'Type a name first.',
        own_failed: '{name} was not added: {why}',
        own_bad_name: 'a name has letters of a to z, digits, - and _, at '
                      + 'most 64.',
        own_hint: 'Sent from OBS to this server, which needs nginx-rtmp '
                  + '(docs/operations.md).',
        own_empty: 'There is no own channel yet.',
        own_on_air: 'On the air',
        own_off_air: 'Off the air',
        own_removed: '{name} was removed.',
        own_remove_sure: 'Remove {name}? Its stream key is good no more; its '
                         + 'recordings stay.',
        own_remove_live: 'Its broadcast, which is on the air, is closed.',
        titles: 'Title and category',
        titles_of: 'Title and category of {name}',
        title: 'Title',
        category: 'Category',
        description: 'Description',
        save: 'Save',
        saved: 'Saved: the next broadcast is called so.',
        saved_live: 'Saved: viewers see it now.',
        too_long: 'Too long: {n} of {most} bytes. A letter of Korean has '
                  + 'three.',
        bad_text: 'It may hold no control characters, and be at most {most} '
                  + 'bytes long.',
        sending: 'Stream key and OBS',
        sending_of: 'Stream key and OBS for {name}',
        guide_open: 'In OBS open Settings, Stream; choose the service '
                    + '“Custom…”.',
        guide_server: 'Server:',
        guide_key: 'Stream key:',
        guide_frames: 'Under Output set the keyframe interval to 2\u00a0s, the '
                      + 'encoder to H.264, the sound to AAC.',
        guide_start: 'Start streaming: the channel is on the air within '
                     + 'seconds.',
        key_none: 'There is no key yet.',
        key_made: 'Made {time}. It cannot be shown again.',
        key_one_time: 'It wants a one-time password behind it (docs/api.md).',
        key_once: 'Copy it now: it is shown only here, only once. Who has it '
                  + 'can broadcast as this channel.',
        key_make: 'Make a key',
        key_renew: 'New key',
        key_renew_sure: 'Make a new key for {name}? The one before is good no '
                        + 'more; who is on the air goes on.',
        key_revoke: 'Revoke',
        key_revoke_sure: 'Revoke the key of {name}? Who is on the air with it '
                         + 'is closed.',
        key_revoked: 'The key is good no more.',
        copy: 'Copy',
        copy_server: 'Copy the server',
        copy_key: 'Copy the stream key',
        copied: 'Copied.',
        copy_failed: 'Press Ctrl+C to copy what is marked.',
        platform: 'Platform',
        play: 'Play',
        play_label: 'Play {name}',
        keep: 'Keep',
        kept: 'Kept',
        keep_of: 'Keep {name}: it is not deleted, also not to make room',
        kept_of: 'Kept: {name}',
        delete: 'Delete',
        delete_of: 'Delete {name}',
        delete_sure: 'Delete the recording {name}? Without a trash its files go for good.',
        recording_deleted: 'The recording {name} was deleted.',
        from_start: 'From the beginning',
        live_edge: 'Live',
        close: 'Close',
        speed: 'Speed',
        more: 'Show more',
        untitled: 'No title',
        viewers: '{n} viewers',
        viewers_one: '{n} viewer',
        since: 'since {time}',
        gaps_none: 'no gaps',
        gaps: '{n} gaps, {seconds} lost',
        gaps_one: '{n} gap, {seconds} lost',
        state_recording: 'Recording',
        state_recorded: 'Recorded',
        state_done: 'Recorded',
        state_deleted: 'Deleted',
        state_live: 'Live',
        note_growing: 'Being recorded: it can be rewound to its beginning.',
        note_waiting: 'Waiting for its first seconds…',
        note_over: 'The broadcast is over; this is its recording.',
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
        add_label: '채널 ID, 닉네임 또는 주소',
        add_button: '지켜보기',
        add_done: '{name} 채널을 지켜봅니다.',
        add_missing: '먼저 채널 ID, 닉네임 또는 주소를 입력하세요.',
        add_failed: '{name}: 추가하지 못했습니다. {why}',
        add_waiting: '찾는 중…',
        watched_title: '지켜보는 채널',
        watched_link: '채널',
        watched_empty: '아직 지켜보는 채널이 없습니다. 위에서 추가하세요.',
        watched_none: '그런 이름의 채널을 지켜보고 있지 않습니다.',
        watched_find: '지켜보는 채널 찾기',
        watched_hint: '여러 채널은 한 줄에 하나씩 (Shift+Enter).',
        watched_removed: '{name} 채널을 더 이상 지켜보지 않습니다.',
        checked: '{time} 확인',
        check_next: '다음 {time}',
        recorded: '녹화 {n}개',
        quality: '화질',
        quality_of: '{name} 화질',
        quality_best: '최고 화질',
        quality_worst: '최저 화질',
        quality_audio: '소리만',
        pause: '멈추기',
        pause_of: '{name} 멈추기',
        unpause: '다시 지켜보기',
        unpause_of: '{name} 다시 지켜보기',
        remove: '빼기',
        remove_of: '{name} 빼기',
        remove_sure: '{name} 채널을 그만 지켜볼까요? 녹화는 남습니다.',
        remove_ends: '지금 녹화 중인 것은 여기서 끝납니다.',
        remove_config: 'nginx.conf에 남아 있으면 다시 읽거나 시작할 때마다 '
                       + '돌아옵니다.',
        watch_paused: '멈춤',
        watch_new: '아직 확인 전',
        watch_offline: '방송 중 아님',
        watch_live: '방송 중, 아직 녹화 전',
        'watch_live-not-playable': '방송 중이지만 녹화할 수 없음',
        'watch_not-live': '알 수 없는 상태',
        'watch_unknown-channel': '없는 채널',
        'watch_transient-error': '확인하지 못함',
        'watch_rate-limited': '요청이 너무 많음',
        watch_error: '요청이 거부됨',
        watch_malformed: '응답을 이해하지 못함',
        'watch_access-denied': '접근이 거부됨',
        'watch_token-expired-or-denied': '주소가 만료됨',
        why_adult: '연령 제한 방송입니다. 볼 수 있는 계정의 쿠키가 필요합니다.',
        why_region: '이 지역에서는 볼 수 없는 방송입니다.',
        why_membership: '멤버십 전용 방송입니다.',
        why_unknown: '플랫폼이 이유를 알려주지 않습니다.',
        why_resolve: '서버 이름을 찾을 수 없습니다.',
        why_connect: '서버에 연결할 수 없습니다.',
        why_tls: '서버와 안전하게 연결할 수 없습니다.',
        why_timeout: '제때 응답하지 않았습니다.',
        why_cut: '응답이 중간에 끊겼습니다.',
        why_too_large: '응답이 너무 큽니다.',
        why_forbidden: 'nginx.conf의 fetch_allow가 허락하지 않은 주소입니다.',
        why_ended: '재생목록이 끝났습니다.',
        why_vod: '실시간이 아니라 이미 끝난 영상의 재생목록입니다.',
        'why_no-room': '서버에 녹화를 더 시작할 여유가 없습니다.',
        why_other: '이유: {why}',
        error_channel_not_found: '플랫폼에 그런 채널이 없습니다.',
        error_unknown_platform: '아는 플랫폼의 주소가 아닙니다.',
        error_bad_channel: '이 플랫폼의 채널 ID, 닉네임, 주소가 아닙니다.',
        error_lookup_failed: '플랫폼에 물어보지 못했습니다. 나중에 다시 '
                             + '해 보세요.',
        error_lookup_limited: '플랫폼이 기다리라고 합니다. 나중에 다시 '
                              + '해 보세요.',
        error_forbidden: 'nginx.conf가 허락한 곳에서만 바꿀 수 있습니다. 보통은 '
                         + '이 컴퓨터뿐입니다.',
        error_unauthorized: '로그인되어 있지 않습니다.',
        error_cross_origin: '서버가 아는 이 페이지의 주소가 다릅니다 '
                            + '(docs/api.md의 "Host").',
        error_streamer_not_found: '이미 없습니다.',
        error_recording_not_found: '이미 없습니다.',
        error_conflict: '저장된 내용과 맞지 않습니다.',
        own_title: '내 채널',
        own_mark: '내 채널',
        own_name: '새 채널 이름',
        own_add: '추가',
        own_added: '{name} 채널을 추가했습니다. 아래에서 스트림 키를 만드세요.',
        own_missing: '먼저 이름을 입력하세요.',
        own_failed: '{name}: 추가하지 못했습니다. {why}',
        own_bad_name: '이름에는 영문자, 숫자, -, _만 쓸 수 있고 64자까지입니다.',
        own_hint: 'OBS에서 이 서버로 보내는 방송입니다. nginx-rtmp가 '
                  + '필요합니다 (docs/operations.md).',
        own_empty: '아직 내 채널이 없습니다.',
        own_on_air: '방송 중',
        own_off_air: '방송 중 아님',
        own_removed: '{name} 채널을 뺐습니다.',
        own_remove_sure: '{name} 채널을 뺄까요? 스트림 키는 더 이상 쓸 수 없고 '
                         + '녹화는 남습니다.',
        own_remove_live: '지금 방송 중인 것은 끝납니다.',
        titles: '제목과 카테고리',
        titles_of: '{name} 제목과 카테고리',
        title: '제목',
        category: '카테고리',
        description: '설명',
        save: '저장',
        saved: '저장했습니다. 다음 방송부터 이 제목입니다.',
        saved_live: '저장했습니다. 시청자에게 바로 보입니다.',
        too_long: '너무 깁니다: {most}바이트 가운데 {n}바이트. 한글은 한 글자가 '
                  + '3바이트입니다.',
        bad_text: '제어 문자를 쓸 수 없고 {most}바이트까지입니다.',
        sending: '스트림 키와 OBS',
        sending_of: '{name} 스트림 키와 OBS',
        guide_open: 'OBS에서 설정, 방송을 열고 서비스를 “사용자 지정…”으로 '
                    + '고르세요.',
        guide_server: '서버:',
        guide_key: '스트림 키:',
        guide_frames: '출력에서 키프레임 간격을 2초, 인코더를 H.264, 소리를 '
                      + 'AAC로 맞추세요.',
        guide_start: '방송을 시작하면 몇 초 안에 채널이 방송 중이 됩니다.',
        key_none: '아직 키가 없습니다.',
        key_made: '{time}에 만들었습니다. 다시 볼 수 없습니다.',
        key_one_time: '키 뒤에 일회용 비밀번호가 필요합니다 (docs/api.md).',
        key_once: '지금 복사하세요. 여기서 한 번만 보입니다. 이 키가 있으면 '
                  + '누구나 이 채널로 방송할 수 있습니다.',
        key_make: '키 만들기',
        key_renew: '새 키',
        key_renew_sure: '{name} 채널의 키를 새로 만들까요? 전의 키는 더 이상 '
                        + '쓸 수 없고, 지금 방송은 계속됩니다.',
        key_revoke: '없애기',
        key_revoke_sure: '{name} 채널의 키를 없앨까요? 그 키로 하는 방송은 '
                         + '끝납니다.',
        key_revoked: '키를 더 이상 쓸 수 없습니다.',
        copy: '복사',
        copy_server: '서버 복사',
        copy_key: '스트림 키 복사',
        copied: '복사했습니다.',
        copy_failed: '표시된 부분을 Ctrl+C로 복사하세요.',
        platform: '플랫폼',
        play: '재생',
        play_label: '{name} 재생',
        keep: '보관',
        kept: '보관 중',
        keep_of: '{name} 보관: 공간이 모자라도 지우지 않습니다',
        kept_of: '보관 중: {name}',
        delete: '삭제',
        delete_of: '{name} 삭제',
        delete_sure: '{name} 녹화를 삭제할까요? 휴지통이 없으면 파일은 되돌릴 수 없습니다.',
        recording_deleted: '{name} 녹화를 삭제했습니다.',
        from_start: '처음부터',
        live_edge: '실시간',
        close: '닫기',
        speed: '재생 속도',
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
        note_over: '방송이 끝났습니다. 지금 보는 것은 녹화입니다.',
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


export function has(key) {
    return key in WORDS.en;
}


export function t(key, values = {}) {
    const words = WORDS[current][key] ?? WORDS.en[key] ?? key;

    return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}


// words that depend on a number, which is {n}

export function count(key, n, values = {}) {
    const one = n === 1 && key + '_one' in WORDS[current];

    return t(one ? key + '_one' : key, {
        n: new Intl.NumberFormat(current).format(n), ...values,
    });
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

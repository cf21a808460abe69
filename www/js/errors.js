// What went wrong, in the reader's language where that is known.

import { ApiError } from './api.js';
import { has, t } from './i18n.js';


export function explain(error) {
    if (!(error instanceof ApiError)) {
        return String(error);
    }

    if (error.status === 0) {
        return t('trouble_unreachable');
    }

    if (has('error_' + error.code)) {
        return t('error_' + error.code);
    }

    if (error.status === 503) {
        return t('trouble_database');
    }

    return t('trouble_http', { status: error.status, why: error.message });
}

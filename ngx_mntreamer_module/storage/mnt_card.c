
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_card.h"

#include <stdio.h>
#include <string.h>


static int mnt_card_plain(mnt_str_t s);
static void mnt_card_line(mnt_str_t line, const char *word, mnt_str_t *value);


size_t
mnt_card_write(const mnt_card_t *card, char *buf, size_t size)
{
    int  n;

    if (!mnt_card_plain(card->recording) || !mnt_card_plain(card->platform)
        || !mnt_card_plain(card->channel))
    {
        return 0;
    }

    n = snprintf(buf, size, "recording %.*s\nplatform %.*s\nchannel %.*s\n",
                 (int) card->recording.len, card->recording.data,
                 (int) card->platform.len, card->platform.data,
                 (int) card->channel.len, card->channel.data);

    return (n > 0 && (size_t) n < size && n <= MNT_CARD_MAX) ? (size_t) n : 0;
}


static int
mnt_card_plain(mnt_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] < ' ' || s.data[i] == 0x7f) {
            return 0;
        }
    }

    return s.len && s.len <= MNT_CARD_MAX;
}


void
mnt_card_read(mnt_str_t text, mnt_card_t *card)
{
    mnt_str_t    line;
    const char  *end;

    memset(card, 0, sizeof(mnt_card_t));

    while (text.len) {
        end = memchr(text.data, '\n', text.len);

        if (end == NULL) {
            return;
        }

        line.data = text.data;
        line.len = (size_t) (end - text.data);

        mnt_card_line(line, "recording ", &card->recording);
        mnt_card_line(line, "platform ", &card->platform);
        mnt_card_line(line, "channel ", &card->channel);

        text.data += line.len + 1;
        text.len -= line.len + 1;
    }
}


static void
mnt_card_line(mnt_str_t line, const char *word, mnt_str_t *value)
{
    mnt_str_t  s;

    if (!mnt_str_starts(line, word)) {
        return;
    }

    s.data = line.data + strlen(word);
    s.len = line.len - strlen(word);

    if (mnt_card_plain(s)) {
        *value = s;
    }
}

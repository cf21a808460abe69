#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# Holds docs/openapi.yaml against the sources and a running server:
#
#     openapi-check.pl                     routes and error codes of the sources
#     openapi-check.pl URL                 and the answers to reading
#     openapi-check.pl --write URL         and to adding, changing, deleting
#     openapi-check.pl --links URL         and, with a signed location, its links
#     openapi-check.pl --channel TEXT ...  what is added (of platform hls)
#
# Prints TAP; the exit status is not 0 when something differs.

use strict;
use warnings;

use CPAN::Meta::YAML;
use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my ($write, $links, $base);
my $channel = 'http://127.0.0.1:9/openapi-check/index.m3u8';

while (@ARGV) {
    my $arg = shift;
    if ($arg eq '--write')      { $write = 1 }
    elsif ($arg eq '--links')   { $links = 1 }
    elsif ($arg eq '--channel') { $channel = shift }
    else                        { $base = $arg =~ s{/+$}{}r }
}

my $spec = CPAN::Meta::YAML->read_string(text('docs/openapi.yaml'))->[0];
my $http = HTTP::Tiny->new(timeout => 20);
my $json = JSON::PP->new->utf8->allow_nonref;


sub text {
    open my $fh, '<:raw', "$top/$_[0]" or die "$top/$_[0]: $!\n";
    local $/;
    return scalar <$fh>;
}


sub resolve {
    my ($node) = @_;
    my $ref = ref $node eq 'HASH' ? $node->{'$ref'} : undef;
    return $node unless $ref;

    my $at = $spec;
    for (split m{/}, substr $ref, 2) {
        $at = $at->{$_} // die "openapi.yaml: no $ref\n";
    }
    return resolve($at);
}


# JSON::PP keeps a number apart from a text by how it is stored

sub type_of {
    my ($v) = @_;
    return 'null' if !defined $v;
    return 'array' if ref $v eq 'ARRAY';
    return 'object' if ref $v eq 'HASH';
    return 'boolean' if JSON::PP::is_bool($v);
    return 'string' if $json->encode($v) =~ /^"/;
    return $v =~ /^-?\d+$/ ? 'integer' : 'number';
}


# what is wrong with a value, or nothing

sub wrong {
    my ($v, $node, $at) = @_;
    my $s = resolve($node);
    my $type = type_of($v);

    for my $any (grep { $_ } @$s{qw(anyOf oneOf)}) {
        my @why = map { [wrong($v, $_, $at)] } @$any;
        return if grep { !@$_ } @why;
        my ($least) = sort { @$a <=> @$b } @why;
        return @$least;
    }

    if (my $want = $s->{type}) {
        my @want = ref $want ? @$want : $want;
        return "$at is $type, not @want"
            unless grep { $_ eq $type
                          || ($_ eq 'number' && $type eq 'integer') } @want;
    }
    if ($s->{enum} && !grep { $_ eq ($v // '') } @{ $s->{enum} }) {
        return "$at is not one of its words: " . ($v // 'null');
    }
    if (defined $s->{pattern} && $type eq 'string' && $v !~ /$s->{pattern}/) {
        return "$at does not look right: $v";
    }
    if ($type =~ /integer|number/) {
        return "$at is too small: $v"
            if defined $s->{minimum} && $v < $s->{minimum};
        return "$at is too large: $v"
            if defined $s->{maximum} && $v > $s->{maximum};
    }
    if ($type eq 'array' && $s->{items}) {
        return map { wrong($v->[$_], $s->{items}, "$at\[$_]") } 0 .. $#$v;
    }
    return if $type ne 'object';

    my $p = $s->{properties} || {};
    my @why = map { "$at.$_ is missing" }
        grep { !exists $v->{$_} } @{ $s->{required} || [] };
    for (sort keys %$v) {
        if ($p->{$_}) {
            push @why, wrong($v->{$_}, $p->{$_}, "$at.$_");
        } elsif (($s->{additionalProperties} // '') eq 'false') {
            push @why, "$at.$_ is not described";
        }
    }
    return @why;
}


# one call, checked against what the description says of its status

sub call {
    my ($method, $path, $route, %o) = @_;
    my %opt;

    if (exists $o{body}) {
        $opt{content} = ref $o{body} ? $json->encode($o{body}) : $o{body};
        $opt{headers}{'Content-Type'} = 'application/json';
    }
    $opt{headers}{$_} = $o{headers}{$_} for keys %{ $o{headers} || {} };

    my $r = $http->request($method, $base . $path, \%opt);
    my $name = $o{name} || "$method $path";
    my $responses = $spec->{paths}{$route}{ lc $method }{responses}
        || { default => { '$ref' => '#/components/responses/Error' } };
    my $node = resolve($responses->{ $r->{status} } || $responses->{default}
                       || {});

    is($r->{status}, $o{status}, "$name: $o{status}") or diag $r->{content};

    my $content = $node->{content};
    if (!$content) {
        is($r->{content} // '', '', "$name: has no body");
        return;
    }
    my ($type) = sort keys %$content;
    like($r->{headers}{'content-type'} // '', qr/^\Q$type\E(;|$)/,
         "$name: $type");
    return if $type ne 'application/json';

    my $v = eval { $json->decode($r->{content}) };
    my @why = $@ ? "no JSON: $@" : wrong($v, $content->{$type}{schema}, 'it');
    is(join("\n", @why), '', "$name: as described") or diag $r->{content};
    return $v;
}


# the sources

sub check_sources {
    my $api = text('ngx_mntreamer_module/http/ngx_http_mntreamer_api.c');
    my (%has, %said);

    while ($api =~ /\{\s*ngx_string\("(v1\/[^"]*)"\),\s*NGX_\w+_PATH_(\w+),
                     ([^}]*)\}/gx)
    {
        my ($path, $rest, $fn) = ($1, $2, $3);
        my @fn = map { s/\s//gr } split /,/, $fn;
        my $name = { ID => '{id}', ID_KEY => '{id}/key',
            ID_PASSWORD => '{id}/password', ID_RETRY => '{id}/retry',
            ID_RESTORE => '{id}/restore', ID_EVENTS => '{id}/events',
            ID_EXPORTS => '{id}/exports', ID_CUTS => '{id}/cuts',
            ID_CUT => '{id}/cuts/{cut}', ID_CLIPS => '{id}/clips',
            ID_LINKS => '{id}/links', REST => '{path}',
            WHOLE => '' }->{$rest};
        for my $i (0 .. 3) {
            $has{ (qw(get post patch delete))[$i] . " /api/$path$name" } = 1
                if $fn[$i] ne 'NULL';
        }
    }
    for my $path (grep { m{^/api/} } keys %{ $spec->{paths} }) {
        $said{"$_ $path"} = 1
            for grep { $_ ne 'parameters' } keys %{ $spec->{paths}{$path} };
    }
    is(join("\n", sort keys %said), join("\n", sort keys %has),
       'the routes of the source are the described ones');

    my $c = text('ngx_mntreamer_module/http/ngx_http_mntreamer_error.c');
    my @codes = $c =~ /^    \{ "(\w+)", \d+,/mg;
    is(join(' ', @{ $spec->{components}{schemas}{ErrorCode}{enum} }),
       join(' ', @codes), 'so are the codes of errors');

    my $doc = text('docs/api.md');
    is(join(' ', grep { $doc !~ /\| `$_` \|/ } @codes), '',
       'docs/api.md lists each code');
}


sub check_reading {
    my $s = call(GET => '/api/v1/streamers?limit=500', '/api/v1/streamers',
                 status => 200);
    my $r = call(GET => '/api/v1/recordings?limit=500', '/api/v1/recordings',
                 status => 200);
    my $l = call(GET => '/api/v1/live', '/api/v1/live', status => 200);
    call(GET => "/api/v1/live/$_->{streamer_id}", '/api/v1/live/{id}',
         status => 200) for first_of($l->{items});
    call(GET => '/api/v1/live/9223372036854775807', '/api/v1/live/{id}',
         status => 404);
    my $j = call(GET => '/api/v1/jobs', '/api/v1/jobs', status => 200);
    call(GET => "/api/v1/jobs/$_->{id}", '/api/v1/jobs/{id}', status => 200)
        for first_of($j->{items});
    call(GET => "/api/v1/jobs/$_->{id}/events", '/api/v1/jobs/{id}/events',
         status => 200)
        for grep { $_->{finished_at} } first_of($j->{items});
    call(GET => "/api/v1/recordings/$_->{id}/exports",
         '/api/v1/recordings/{id}/exports', status => 200)
        for first_of($r->{items});
    call(GET => '/api/v1/retention', '/api/v1/retention', status => 200);
    call(GET => '/health', '/health', status => 200);
    call(GET => '/metrics', '/metrics', status => 200);

    call(GET => "/api/v1/streamers/$_->{id}", '/api/v1/streamers/{id}',
         status => 200) for first_of($s->{items});
    call(GET => "/api/v1/recordings/$_->{id}/cuts",
         '/api/v1/recordings/{id}/cuts', status => 200)
        for first_of($r->{items});
    for (first_of($r->{items})) {
        my $one = call(GET => "/api/v1/recordings/$_->{id}",
                       '/api/v1/recordings/{id}', status => 200);
        my @why = wrong({ map { $_ => $one->{$_} }
                          grep { !/^(files|files_truncated|gap_list
                                     |title_history|viewer_history)$/x } keys %$one },
                        { '$ref' => '#/components/schemas/Recording' }, 'it');
        is(join("\n", @why), '', "recording $one->{id}: what lists have, too");
        next if !$one->{url};
        my $path = $one->{url} =~ s{^/recordings/}{}r;
        my $multi = grep { $_->{name} eq 'video.m3u8' } @{ $one->{files} };
        call(GET => "/api/v1/target-duration/$path",
             '/api/v1/target-duration/{path}', status => $multi ? 400 : 200);
    }
}


sub first_of {
    my ($items) = @_;
    my $n = @$items > 3 ? 3 : @$items;
    return @$items[0 .. $n - 1];
}


sub check_errors {
    my $one = '/api/v1/streamers/{id}';
    my $list = '/api/v1/streamers';

    call(GET => "$list/9223372036854775807", $one, status => 404);
    call(GET => "$list/x", $one, status => 400);
    call(GET => "$list?colour=red", $list, status => 400);
    call(GET => "$list?limit=0", $list, status => 400);
    call(GET => '/api/v1/nothing', '', status => 404);
    call(DELETE => $list, $list, status => 405);
    call(POST => $list, $list, status => 400, body => '[');
    call(POST => $list, $list, status => 400, body => {});
    call(POST => $list, $list, status => 413, body => 'x' x 1_100_000,
         name => 'POST of 1.1 MB');
    call(POST => $list, $list, status => 415, body => '{}',
         headers => { 'Content-Type' => 'text/plain' }, name => 'text/plain');
    call(POST => $list, $list, status => 403, body => {},
         headers => { Origin => 'https://elsewhere.example' },
         name => 'another origin');
    call(GET => '/api/v1/jobs?state=lost', '/api/v1/jobs', status => 400);
    call(GET => '/api/v1/jobs/9223372036854775807', '/api/v1/jobs/{id}',
         status => 404);
    call(GET => '/api/v1/jobs/9223372036854775807/events',
         '/api/v1/jobs/{id}/events', status => 404);
    call(GET => '/api/v1/target-duration/none/index.m3u8',
         '/api/v1/target-duration/{path}', status => 404);
}


sub check_writing {
    my $one = '/api/v1/streamers/{id}';
    my $list = '/api/v1/streamers';
    my $new = { platform => 'hls', channel => $channel, name => 'check',
                priority => 3 };

    my $s = call(POST => $list, $list, status => 201, body => $new) or return;
    call(POST => $list, $list, status => 200, body => $new, name => 'again');
    call(POST => $list, $list, status => 200,
         body => { items => [$new, { platform => 'nowhere' }] },
         name => 'many');
    call(PATCH => "$list/$s->{id}", $one, status => 200,
         body => { monitored => JSON::PP::false, quality => '720p',
                   nickname => undef });
    call(PATCH => "$list/$s->{id}", $one, status => 400, body => { id => 1 });
    call(PATCH => "$list/$s->{id}", $one, status => 200, name => 'what is kept',
         body => { retention => { age => 86400, count => 3 } });
    call(PATCH => "$list/$s->{id}", $one, status => 400, name => 'no size',
         body => { retention => { size => 0 } });
    call($_ => "$list/$s->{id}/key", "$one/key", status => 409)
        for 'GET', 'POST';
    call(PATCH => "$list/$s->{id}", $one, status => 409,
         body => { title => 'x' }, name => 'a title of a platform');
    call(DELETE => "$list/$s->{id}", $one, status => 204);
    call(DELETE => "$list/$s->{id}", $one, status => 404, name => 'gone');

    my $exports = '/api/v1/recordings/{id}/exports';
    call(POST => '/api/v1/recordings/9223372036854775807/exports', $exports,
         status => 404, body => { begin => 1, end => undef });
    call(POST => '/api/v1/recordings/1/exports', $exports, status => 400,
         body => { begin => 2, end => 1 });
    call(POST => '/api/v1/jobs/9223372036854775807/retry',
         '/api/v1/jobs/{id}/retry', status => 404);
    call(DELETE => '/api/v1/jobs/9223372036854775807', '/api/v1/jobs/{id}',
         status => 404);

    my $own = call(POST => $list, $list, status => 201, name => 'our own',
                   body => { platform => 'rtmp', channel => 'check' })
        or return;
    my $id = $own->{id};
    call(POST => "$list/$id/$_", "$one/$_", status => 201)
        for 'key', 'password';
    call(POST => "$list/$id/password", "$one/password", status => 409,
         name => 'a second password');
    call(DELETE => "$list/$id/$_", "$one/$_", status => 204)
        for 'password', 'key';
    call(DELETE => "$list/$id/key", "$one/key", status => 409,
         name => 'revoked already');
    call(GET => "$list/$id/key", "$one/key", status => 200);
    call(PUT => "$list/$id/key", "$one/key", status => 405);
    call(PATCH => "$list/$id", $one, status => 200, name => 'its title',
         body => { title => 't', description => "a\nb", category => undef });
    call(PATCH => "$list/$id", $one, status => 400, name => 'a long title',
         body => { title => 'x' x 301 });
    call(GET => "/api/v1/live/$id", '/api/v1/live/{id}', status => 404,
         name => 'not on the air');
    call(DELETE => "$list/$id", $one, status => 204);
    check_trash();
}


# what is in the trash, if anything is

sub check_trash {
    my $list = '/api/v1/recordings';
    my $one = "$list/{id}";

    call(POST => "$list/9223372036854775807/restore", "$one/restore",
         status => 404);
    my $r = call(GET => "$list?status=trash", $list, status => 200);
    my ($id) = map { $_->{id} } @{ $r->{items} } or return;
    call(GET => "$list/$id", $one, status => 200);
    call(POST => "$list/$id/restore", "$one/restore", status => 202);
    call(DELETE => "$list/$id", $one, status => 204);
    call(DELETE => "$list/$id?purge=1", $one, status => 204);
    call(DELETE => "$list/$id?purge=x", $one, status => 400);
    call(POST => "$list/$id/restore", "$one/restore", status => 409);
}


# a part of some recording is made, cut, and deleted

sub check_edits {
    my $list = '/api/v1/recordings';
    my ($r) = grep { $_->{segments} > 3 && $_->{duration} > 2 }
        @{ call(GET => "$list?limit=500", $list, status => 200)->{items} };
    return if !$r;

    my $clip = call(POST => "$list/$r->{id}/clips", "$list/{id}/clips",
                    status => 201,
                    body => { begin => 0, end => $r->{duration}, title => 'x' })
        or return;
    my $at = "$list/$clip->{id}/cuts";
    my $half = { begin => 0, end => 0 + sprintf '%.3f', $clip->{duration} / 2 };

    my $cut = call(POST => $at, "$list/{id}/cuts", status => 201, body => $half)
        or return;
    call(POST => $at, "$list/{id}/cuts", status => 200, body => $half,
         name => 'cut again');
    call(POST => $at, "$list/{id}/cuts", status => 400,
         body => { begin => 1, end => 0 });
    call(GET => $at, "$list/{id}/cuts", status => 200);
    call(DELETE => "$at/$cut->{id}", "$list/{id}/cuts/{cut}", status => 204);
    call(DELETE => "$at/9223372036854775807", "$list/{id}/cuts/{cut}",
         status => 404);
    call(DELETE => "$list/$clip->{id}", "$list/{id}", status => 204);
}


sub check_links {
    my $r = call(GET => '/api/v1/recordings', '/api/v1/recordings', status => 200);
    my $links = '/api/v1/recordings/{id}/links';

    for (first_of([grep { $_->{url} } @{ $r->{items} }])) {
        my $one = "/api/v1/recordings/$_->{id}/links";
        call(POST => $one, $links, status => 200, body => {});
        call(POST => $one, $links, status => 200, name => 'for an address',
             body => { seconds => 60, address => '203.0.113.7' });
        call(POST => $one, $links, status => 400, body => { seconds => 0 });
    }
    call(POST => '/api/v1/recordings/9223372036854775807/links', $links,
         status => 404, body => {});
}


check_sources();

if ($base) {
    check_reading();
    check_errors();
    check_writing() if $write;
    check_edits() if $write;
    check_links() if $links;
}

done_testing();

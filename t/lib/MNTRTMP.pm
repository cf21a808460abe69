package MNTRTMP;

# A running system with the nginx-rtmp of the distribution, as conf/rtmp.conf
# has it: "ingest" asks our hooks and relays to "live", which makes HLS.
#
#     my $m = MNTRTMP->new(workers => 3);
#     $m->start; $m->up;
#     my $s = $m->camera('name');                # a streamer with a key
#     my $p = $m->publish($s->{key});            # ffmpeg; a pid
#     wait_for(sub { $m->on_air($s) }, 'it is on the air');

use strict;
use warnings;

use parent -norequire, 'MNT';

use File::Temp qw(tempdir);
use MNT;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

our $RTMP = '/usr/lib/nginx/modules/ngx_rtmp_module.so';

my (%CLIP, %FFMPEG);


# four seconds with a key frame each second, made once; played without encoding;
# "testsrc2" is a picture that needs more bits

sub clip {
    my ($size, $picture) = @_;
    $size ||= '160x120';
    $picture ||= 'testsrc';
    return $CLIP{"$picture $size"} if $CLIP{"$picture $size"};
    my $dir = tempdir('mntclip-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $CLIP = $CLIP{"$picture $size"} = "$dir/clip.flv";
    system('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
           "$picture=size=$size:rate=15", '-f', 'lavfi', '-i', 'sine',
           '-t', 4, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', 0,
           '-g', 15, '-keyint_min', 15, '-sc_threshold', 0, '-pix_fmt',
           'yuv420p', '-c:a', 'aac', '-threads', 1, $CLIP) == 0
        or BAIL_OUT('ffmpeg makes no clip');
    return $CLIP;
}


sub new {
    my ($class, %o) = @_;

    my $rtmp = MNT::free_port();
    my $hooks = MNT::free_port();
    my $silence = delete $o{silence} // '30s';
    my $update = delete $o{update} // '1s';
    my $record = delete $o{record} // 1;
    my $renditions = delete $o{renditions} // 'none';
    my $limit = delete $o{limit} // 'rate=100r/s burst=200';
    my $more = delete $o{hook} // '';
    my ($rate, $burst) = split ' ', $limit;
    my $server = delete $o{rtmp_server} // '';
    my $fragment = delete $o{fragment} // '1s';
    my $thumbnail = delete $o{thumbnail} // 'off';
    my $platform = delete $o{platform} // '';

    my $self = $class->SUPER::new(rtmp_port => $rtmp, hook_port => $hooks,
        workers => 3, %o);

    $self->{hls} = "$self->{dir}/hls";
    mkdir $self->{hls};
    if (!$>) {
        my (undef, undef, $uid, $gid) = getpwnam 'nobody';
        chown $uid, $gid, $self->{hls};
    }

    $platform = "hls_path $self->{hls};\nrenditions $renditions;\n"
        . "thumbnail $thumbnail;\n$platform"
        if $record;
    $self->{platform} = $platform;
    my $ours = "mntreamer_rtmp port=$rtmp silence=$silence $more;";
    $self->{http} .= <<"END";
    limit_req_zone \$server_port zone=publish:32k $rate;
    server {
        listen 127.0.0.1:$hooks;
        access_log $self->{dir}/logs/hooks.log;
        location = /rtmp { $ours }
        location = /publish {
            $ours
            limit_req zone=publish $burst nodelay;
            limit_req_status 429;
        }
    }
END
    my $url = "http://127.0.0.1:$hooks/rtmp";
    $self->{main} .= <<"END";
load_module $RTMP;
rtmp_auto_push off;
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:$rtmp;
        chunk_size 16384;
        $server
        application ingest {
            live on;
            deny play all;
            drop_idle_publisher 5s;
            notify_method post;
            notify_relay_redirect on;
            notify_update_timeout $update;
            notify_update_strict on;
            on_publish http://127.0.0.1:$hooks/publish;
            on_publish_done $url;
            on_update $url;
        }
        application live {
            live on;
            allow publish 127.0.0.1;
            deny publish all;
            notify_method post;
            on_publish $url;
            on_play $url;
            on_play_done $url;
            hls on;
            hls_path $self->{hls};
            hls_nested on;
            hls_fragment $fragment;
            hls_playlist_length 10s;
        }
    }
}
END
    clip();
    return $self;
}


# nginx-rtmp logs keys at "info"

sub config {
    my ($self) = @_;
    local $self->{mntreamer} =
        "$self->{mntreamer} platform rtmp { $self->{platform} }\n";
    my $text = $self->SUPER::config;
    $text =~ s{^(error_log \S+) info;}{$1 notice;}m;
    return $text;
}


sub rtmp { return "rtmp://127.0.0.1:$_[0]{rtmp_port}/$_[1]" }


sub key {
    my ($self, $id) = @_;
    my $r = $self->call(POST => "/api/v1/streamers/$id/key");
    die "key: $r->{status} $r->{content}" if $r->{status} != 201;
    push @{ $self->{secrets} }, $r->{json}{key};
    return $r->{json}{key};
}


sub camera {
    my ($self, $name) = @_;
    my $r = $self->call(POST => '/api/v1/streamers',
        { platform => 'rtmp', channel => $name });
    die "camera: $r->{status} $r->{content}" unless $r->{success};
    return { id => $r->{json}{id}, key => $self->key($r->{json}{id}) };
}


# of a key with what follows it, or of a whole address

sub publish {
    my ($self, $what, $size) = @_;
    my $url = $what =~ /^rtmp:/ ? $what : $self->rtmp("ingest/$what");
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "/dev/null";
        exec 'ffmpeg', '-v', 'quiet', '-nostdin', '-re', '-stream_loop', -1,
            '-i', clip($size), '-c', 'copy', '-f', 'flv', $url
            or POSIX::_exit(127);
    }
    $FFMPEG{$pid} = 1;
    return $pid;
}


# how many of these keys started and how many were refused; nothing is sent

sub publishers {
    my ($self, $keys, @options) = @_;
    my $file = "$self->{dir}/tmp-keys";
    MNT::spew($file, join "\n", @$keys);
    open my $fh, '-|', "python3 $MNT::TOP/t/lib/publishers.py"
        . " $self->{rtmp_port} ingest @options <$file" or die $!;
    my %n;
    $n{$_}++ for map { chomp; $_ } <$fh>;
    close $fh or die "publishers\n";
    unlink $file;
    return join ' ', map { "$_:$n{$_}" } sort keys %n;
}


sub stop_publisher {
    my ($self, $pid, $sig) = @_;
    kill $sig // 'TERM', $pid;
    waitpid $pid, 0;
    delete $FFMPEG{$pid};
}


# of another kind than ffmpeg; "$self->{dir}/logs/NAME.out" has what it says

sub run_publisher {
    my ($self, $name, @cmd) = @_;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDOUT, '>', "$self->{dir}/logs/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec @cmd or POSIX::_exit(127);
    }
    $FFMPEG{$pid} = 1;
    return $pid;
}


# t/lib/rtmp.py

sub speaker {
    my ($self, $name, @args) = @_;
    return $self->run_publisher($name, 'python3', "$MNT::TOP/t/lib/rtmp.py",
                                @args);
}


sub said { return MNT::slurp("$_[0]{dir}/logs/$_[1].out") // '' }


# true when it ends by itself, that is when it was refused or closed

sub ends {
    my ($self, $pid, $name, $seconds) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return MNT::wait_for(sub {
        return 0 if waitpid($pid, WNOHANG) == 0;
        delete $FFMPEG{$pid};
        return 1;
    }, $name, $seconds // 10);
}


sub runs { return waitpid($_[1], WNOHANG) == 0 }


# the public name of what is on the air

sub on_air {
    my ($self, $s) = @_;
    return $self->one('SELECT name FROM broadcast'
        . " WHERE streamer_id = $s->{id} AND ended_at IS NULL");
}


sub segments {
    my ($self, $name) = @_;
    return grep { /\.ts$/ } glob "$self->{hls}/$name/*";
}


# the sockets of TCP: [inode, local port, remote port]

sub sockets {
    return map { my @f = split;
        [$f[9], map { hex((split /:/, $_)[1]) } @f[1, 2]] }
        grep { /^\s*\d+:/ } split /\n/, MNT::slurp('/proc/net/tcp');
}


sub owns {
    my ($pid, $inode) = @_;
    return scalar grep { (readlink($_) // '') eq "socket:[$inode]" }
        glob "/proc/$pid/fd/*";
}


# the worker that has the connection of this process (0: of any worker, which is
# the relay) to nginx-rtmp

sub worker_of {
    my ($self, $pid) = @_;
    my @all = sockets();
    my @from = $pid ? $pid : $self->workers_of;

    for my $s (grep { $_->[2] == $self->{rtmp_port} } @all) {
        next unless grep { owns($_, $s->[0]) } @from;
        for my $peer (grep { $_->[1] == $self->{rtmp_port}
                             && $_->[2] == $s->[1] } @all)
        {
            for my $w ($self->workers_of) {
                return $w if owns($w, $peer->[0]);
            }
        }
    }
    return;
}


# no secret stands in a file, a row, an answer or the command line of nginx

sub no_secrets {
    my ($self, @more) = @_;
    my @secrets = (@{ $self->{secrets} }, @more);
    my %text;

    $text{$_} = MNT::slurp("$self->{dir}/$_") // ''
        for MNT::file_list($self->{dir});
    $text{names} = join "\n", MNT::file_list($self->{dir});
    open my $fh, '-|', 'pg_dump', '-h', $self->{pg}, '-U', 'postgres',
        $self->{db} or die $!;
    { local $/; $text{database} = <$fh> }
    close $fh or die "pg_dump\n";
    $text{$_} = $self->get($_)->{content}
        for '/metrics', '/health', '/api/v1/live', '/api/v1/streamers',
            '/api/v1/recordings';
    $text{"status of $_"} = MNT::slurp("/proc/$_/cmdline") // ''
        for $self->master, $self->workers_of;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok(scalar(@secrets), '>', 0, 'there are secrets to look for');
    ok(length $text{database} > 1000, 'and a database to look into');
    is(join(' ', grep { my $n = $_; grep { index($text{$n}, $_) >= 0 }
                        @secrets } sort keys %text),
       '', 'no key and no password stands anywhere');
}


END {
    my $rc = $?;
    for (keys %FFMPEG) { kill 'KILL', $_; waitpid $_, 0 }
    $? = $rc;
}

1;

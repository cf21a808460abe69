use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use IO::Socket::IP;
use Test::More;

# RELIABILITY S2: a public address of this machine is refused as a private one
# is, on any port and in any form, unless fetch_allow names it; a public address
# of another machine is not. In a network of its own, beside a second one.

if (!$ENV{MNT_OWN_NETWORK}) {
    plan skip_all => 'only root can make a network' if $>;
    plan skip_all => 'no networks can be made here'
        if system('unshare -n ip link add v0 type veth peer name v1'
                  . ' >/dev/null 2>&1');
    $ENV{MNT_OWN_NETWORK} = 1;
    exec 'unshare', '-n', $^X, $0 or die "unshare: $!\n";
}

my ($own, $own6, $other) = ('198.51.101.7', '2a00:1450::7', '198.51.102.2');
my $far = fork // die $!;

if (!$far) {
    exec 'unshare', '-n', 'sleep', '100' or POSIX::_exit(127);
}
sub net { system("$_ >/dev/null 2>&1") == 0 or die "$_\n" for @_ }
END { kill 'KILL', $far if $far }
wait_for(sub { readlink("/proc/$far/ns/net") ne readlink('/proc/self/ns/net') },
         'there is another network');
my $in = "nsenter -t $far -n";
net('ip link set lo up', "ip addr add $own/32 dev lo",
    "ip -6 addr add $own6/128 dev lo", 'ip link add v0 type veth peer name v1',
    'ip addr add 198.51.102.1/24 dev v0', 'ip link set v0 up',
    "ip link set v1 netns $far", "$in ip addr add $other/24 dev v1",
    "$in ip link set v1 up", "ip route add 64:ff9b::/96 dev lo",
    "ip route add 2002::/16 dev lo");

# whoever connects is told so; the one far away says nothing

my %trap = map { $_ => IO::Socket::IP->new(LocalHost => $_, LocalPort => 80,
                                           Listen => 50) || die "$_: $@" }
    ($own, $own6, '198.51.102.1');
$_->blocking(0) for values %trap;
my $caught = sub {
    my ($host) = @_;
    my $n = 0;
    $n++ while $trap{$host}->accept;
    return $n;
};

my $m = MNT->new(workers => 1);
my @url = map { "http://$_/x.m3u8" } $own, "[$own6]", '[::ffff:198.51.101.7]',
    '[64:ff9b::c633:6507]', '[2002:c633:6507::1]', '198.51.102.1', $other;
my $conf = $m->config;
$conf =~ s{(platform chzzk)}{join '', (map { "streamer hls $_;\n" } @url), $1}e;
$m->{raw_config} = $conf;
$m->start;
$m->up;

my $probed = sub {
    my ($url) = @_;
    return () = $m->log =~ m{probed "hls/\Q$url\E": transient-error forbidden}g;
};
for my $url (@url[0 .. 5]) {
    wait_for(sub { $probed->($url) }, "$url is refused");
}
is($caught->($_), 0, "$_ was not connected to") for sort keys %trap;
wait_for(sub { $m->log =~ m{probed "hls/\Q$url[6]\E": } },
         'another machine is asked');
is(scalar($probed->($url[6])), 0, 'which is not forbidden');

# named by the directive

($m->{raw_config} = $conf) =~ s/fetch_allow .*/fetch_allow 127.0.0.0\/8 $own $own6;/;
$m->write_config;
$m->reload;
wait_for(sub { $caught->($_) }, "$_ is connected to when it is allowed")
    for $own, $own6;
is($caught->('198.51.102.1'), 0, 'the third one is not');

$m->finish;

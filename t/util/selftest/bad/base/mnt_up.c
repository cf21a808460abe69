#include "../loop/ngx_mntreamer_x.h"

ngx_int_t  x;

int  mnt_x;

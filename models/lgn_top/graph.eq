graph lgn_top
%p = input() {type = V.lc[j:16]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>} : V.lc[j:16]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>
%beams = spurion() {type = V.lc[i:2]; values = @beams.values} : V.lc[i:2]:ufix<1,2>|ufix<1,2>|ufix<1,1>|fix<2,3>
%seed = select(%p) {axis = j; indices = [0]; to = i} : V.lc[i:1]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>
%pbeam = gram(%beams, %p) : S[i:2, j:16]:fix<16,13>
%d0 = gram(%seed, %p) : S[i:1, j:16]:fix<21,18>
%log_beam = log2(%pbeam) {floor = 2.0; frac = 1} : S[i:2, j:16]:ufix<5,4>
%log_d0 = log2(%d0) {floor = 0.25} : S[i:1, j:16]:ufix<6,4>
%t = particle_sum(%log_beam) {axis = i} : S[j:16]:ufix<6,5>
%edge0_0 = table(%log_d0) {knots = @edge0_0.knots; values = @edge0_0.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_0 = table(%t) {knots = @drop0_0.knots; values = @drop0_0.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%z0_0 = add(%edge0_0, %drop0_0) : S[i:1, j:16]:fix<6,4>
%w0 = table(%z0_0) {activation = sigmoid; out = ufix<3,1>; levels = @w0.levels} : S[i:1, j:16]:ufix<3,1>
%v0 = pair_sum(%w0, %p) : V.lc[i:1]:ufix<16,15>|ufix<14,9>|fix<15,12>|fix<15,12>
%d1 = gram(%v0, %p) : S[i:1, j:16]:fix<27,22>
%log_d1 = log2(%d1) {floor = 0.25} : S[i:1, j:16]:ufix<6,4>
%edge1_0 = table(%log_d1) {knots = @edge1_0.knots; values = @edge1_0.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop1_0 = table(%t) {knots = @drop1_0.knots; values = @drop1_0.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%z1_0 = add(%edge1_0, %drop1_0) : S[i:1, j:16]:fix<6,4>
%edge0_1 = table(%log_d0) {knots = @edge0_1.knots; values = @edge0_1.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_1 = table(%t) {knots = @drop0_1.knots; values = @drop0_1.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%edge0_2 = table(%log_d0) {knots = @edge0_2.knots; values = @edge0_2.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_2 = table(%t) {knots = @drop0_2.knots; values = @drop0_2.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%edge1_1 = table(%log_d1) {knots = @edge1_1.knots; values = @edge1_1.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop1_1 = table(%t) {knots = @drop1_1.knots; values = @drop1_1.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%edge1_2 = table(%log_d1) {knots = @edge1_2.knots; values = @edge1_2.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop1_2 = table(%t) {knots = @drop1_2.knots; values = @drop1_2.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%w1 = table(%z1_0) {activation = sigmoid; out = ufix<3,1>; levels = @w1.levels} : S[i:1, j:16]:ufix<3,1>
%z0_1 = add(%edge0_1, %drop0_1) : S[i:1, j:16]:fix<6,4>
%z0_2 = add(%edge0_2, %drop0_2) : S[i:1, j:16]:fix<6,4>
%z1_1 = add(%edge1_1, %drop1_1) : S[i:1, j:16]:fix<6,4>
%z1_2 = add(%edge1_2, %drop1_2) : S[i:1, j:16]:fix<6,4>
%jet = input() {type = V.lc[i:1]:ufix<10,11>|ufix<10,7>|fix<9,8>|fix<9,8>} : V.lc[i:1]:ufix<10,11>|ufix<10,7>|fix<9,8>|fix<9,8>
%v1 = pair_sum(%w1, %p) : V.lc[i:1]:ufix<16,15>|ufix<14,9>|fix<15,12>|fix<15,12>
%s0_1 = table(%z0_1) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<4,0>
%valid = input() {type = S[j:16]:ufix<1,1>} : S[j:16]:ufix<1,1>
%s0_2 = table(%z0_2) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<3,-1>
%s1_1 = table(%z1_1) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<4,0>
%s1_2 = table(%z1_2) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<4,0>
%nodes = concat(%jet, %v0, %v1) {axis = i} : V.lc[i:3]:ufix<16,15>|ufix<14,9>|fix<15,12>|fix<15,12>
%mask0_1 = mask(%s0_1, %valid) : S[i:1, j:16]:ufix<4,0>
%mask0_2 = mask(%s0_2, %valid) : S[i:1, j:16]:ufix<3,-1>
%mask1_1 = mask(%s1_1, %valid) : S[i:1, j:16]:ufix<4,0>
%mask1_2 = mask(%s1_2, %valid) : S[i:1, j:16]:ufix<4,0>
%gram = gram(%nodes) {to = q} : S[q:6]:fix<33,26>
%sum0_1 = particle_sum(%mask0_1) : S[i:1]:ufix<8,4>
%sum0_2 = particle_sum(%mask0_2) : S[i:1]:ufix<7,3>
%sum1_1 = particle_sum(%mask1_1) : S[i:1]:ufix<8,4>
%sum1_2 = particle_sum(%mask1_2) : S[i:1]:ufix<8,4>
%log_gram = log2(%gram) {frac = 3; codes = 256} : S[q:6]:ufix<8,5>
%g0_1 = table(%sum0_1) {knots = @g0_1.knots; values = @g0_1.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<7,5>
%g0_2 = table(%sum0_2) {knots = @g0_2.knots; values = @g0_2.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<3,1>
%g1_1 = table(%sum1_1) {knots = @g1_1.knots; values = @g1_1.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<7,5>
%g1_2 = table(%sum1_2) {knots = @g1_2.knots; values = @g1_2.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<7,5>
%f = table(%log_gram) {knots = @f.knots; values = @f.values; axis = q; out = fix<8,6,RND,SAT>} : S[q:6]:fix<8,6>
%gs0_1 = particle_sum(%g0_1) {axis = i} : S[]:fix<7,5>
%gs0_2 = particle_sum(%g0_2) {axis = i} : S[]:fix<3,1>
%gs1_1 = particle_sum(%g1_1) {axis = i} : S[]:fix<7,5>
%gs1_2 = particle_sum(%g1_2) {axis = i} : S[]:fix<7,5>
%f_sum = particle_sum(%f) {axis = q} : S[]:fix<10,8>
%score0 = add(%gs0_1, %gs0_2) : S[]:fix<7,5>
%score1 = add(%gs1_1, %gs1_2) : S[]:fix<8,6>
%logit = add(%f_sum, %score0, %score1) : S[]:fix<10,8>
output %logit

graph lgn_top_lab
%p = input() {type = V.xyz[j:16]:ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>} : V.xyz[j:16]:ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>
%beams = spurion() {type = V.xyz[i:2]; values = @beams.values} : V.xyz[i:2]:ufix<1,2>|ufix<1,1>|ufix<1,1>|fix<2,3>
%seed = select(%p) {axis = j; indices = [0]; to = i} : V.xyz[i:1]:ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>
%pbeam = gram(%beams, %p) : S[i:2, j:16]:fix<17,15>
%d0 = gram(%seed, %p) : S[i:1, j:16]:fix<31,27>
%log_beam = log2(%pbeam) {floor = 2.0; frac = 1} : S[i:2, j:16]:ufix<5,4>
%log_d0 = log2(%d0) {floor = 0.25} : S[i:1, j:16]:ufix<6,4>
%t = particle_sum(%log_beam) {axis = i} : S[j:16]:ufix<6,5>
%edge0_0 = table(%log_d0) {knots = @edge0_0.knots; values = @edge0_0.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_0 = table(%t) {knots = @drop0_0.knots; values = @drop0_0.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%z0_0 = add(%edge0_0, %drop0_0) : S[i:1, j:16]:fix<6,4>
%edge0_1 = table(%log_d0) {knots = @edge0_1.knots; values = @edge0_1.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_1 = table(%t) {knots = @drop0_1.knots; values = @drop0_1.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%edge0_2 = table(%log_d0) {knots = @edge0_2.knots; values = @edge0_2.values; out = fix<5,3,RND,SAT>} : S[i:1, j:16]:fix<5,3>
%drop0_2 = table(%t) {knots = @drop0_2.knots; values = @drop0_2.values; out = fix<5,3,RND,SAT>} : S[j:16]:fix<5,3>
%w0 = table(%z0_0) {activation = sigmoid; out = ufix<3,1>; levels = @w0.levels} : S[i:1, j:16]:ufix<3,1>
%z0_1 = add(%edge0_1, %drop0_1) : S[i:1, j:16]:fix<6,4>
%z0_2 = add(%edge0_2, %drop0_2) : S[i:1, j:16]:fix<6,4>
%jet = input() {type = V.xyz[i:1]:ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>} : V.xyz[i:1]:ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>
%v0 = pair_sum(%w0, %p) : V.xyz[i:1]:ufix<20,16>|fix<20,16>|fix<20,16>|fix<21,17>
%s0_1 = table(%z0_1) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<4,0>
%valid = input() {type = S[j:16]:ufix<1,1>} : S[j:16]:ufix<1,1>
%s0_2 = table(%z0_2) {activation = sigmoid; out = ufix<4,0>} : S[i:1, j:16]:ufix<4,0>
%nodes = concat(%jet, %v0) {axis = i} : V.xyz[i:2]:ufix<20,16>|fix<20,16>|fix<20,16>|fix<21,17>
%mask0_1 = mask(%s0_1, %valid) : S[i:1, j:16]:ufix<4,0>
%mask0_2 = mask(%s0_2, %valid) : S[i:1, j:16]:ufix<4,0>
%gram = gram(%nodes) {to = q} : S[q:3]:fix<42,34>
%sum0_1 = particle_sum(%mask0_1) : S[i:1]:ufix<8,4>
%sum0_2 = particle_sum(%mask0_2) : S[i:1]:ufix<8,4>
%log_gram = log2(%gram) {frac = 3; codes = 256} : S[q:3]:ufix<8,5>
%g0_1 = table(%sum0_1) {knots = @g0_1.knots; values = @g0_1.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<5,3>
%g0_2 = table(%sum0_2) {knots = @g0_2.knots; values = @g0_2.values; out = fix<8,6,RND,SAT>} : S[i:1]:fix<7,5>
%f = table(%log_gram) {knots = @f.knots; values = @f.values; axis = q; out = fix<8,6,RND,SAT>} : S[q:3]:fix<8,6>
%gs0_1 = particle_sum(%g0_1) {axis = i} : S[]:fix<5,3>
%gs0_2 = particle_sum(%g0_2) {axis = i} : S[]:fix<7,5>
%f_sum = particle_sum(%f) {axis = q} : S[]:fix<10,8>
%score0 = add(%gs0_1, %gs0_2) : S[]:fix<7,5>
%logit = add(%f_sum, %score0) : S[]:fix<9,7>
output %logit

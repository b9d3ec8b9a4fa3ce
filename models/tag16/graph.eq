graph tag16
%pt = input() {type = S[j:16]:ufix<14,12>} : S[j:16]:ufix<14,12>
%eta = input() {type = S+eta[j:16]:fix<12,12>} : S+eta[j:16]:fix<12,12>
%phi = input() {type = S+phi%1440[j:16]:fix<11,11>} : S+phi%1440[j:16]:fix<11,11>
%jet_mass2 = input() {type = S[]:ufix<18,18>} : S[]:ufix<18,18>
%multiplicity = input() {type = S[]:ufix<7,7>} : S[]:ufix<7,7>
%jet_eta = input() {type = S+eta[]:fix<12,12>} : S+eta[]:fix<12,12>
%jet_phi = input() {type = S+phi%1440[]:fix<11,11>} : S+phi%1440[]:fix<11,11>
%eta_seed = select(%eta) {axis = j; indices = [0]} : S+eta[]:fix<12,12>
%deta_off = add(%eta, %eta_seed) {minus = [1]} : S[j:16]:fix<13,13>
%deta = wrap(%deta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[j:16]:fix<9,9>
%phi_seed = select(%phi) {axis = j; indices = [0]} : S+phi%1440[]:fix<11,11>
%dphi_off = add(%phi, %phi_seed) {minus = [1]} : S+0phi%1440[j:16]:fix<12,12>
%dphi = wrap(%dphi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[j:16]:fix<9,9>
%deta_size = magnitude(%deta) : S[j:16]:ufix<9,9>
%leta = log2(%deta_size) {codes = 33; centred = true} : S[j:16]:ufix<6,4>
%dphi_size = magnitude(%dphi) : S[j:16]:ufix<9,9>
%lphi = log2(%dphi_size) {codes = 33; centred = true} : S[j:16]:ufix<6,4>
%g = log_add(%leta, %lphi) {power = 2; frac = 2} : S[j:16]:ufix<6,4>
%t = log2(%pt) {codes = 41; centred = true} : S[j:16]:ufix<6,4>
%g_code = table(%g) {knots = @g_code.knots; values = @g_code.values; out = ufix<8,8>} : S[j:16]:ufix<8,8>
%t_code = table(%t) {knots = @t_code.knots; values = @t_code.values; out = ufix<4,4>} : S[j:16]:ufix<4,4>
%code = add(%g_code, %t_code) : S[j:16]:ufix<8,8>
%mass = log2(%jet_mass2) {floor = 256.0; frac = 3; codes = 81; window = 7} : S[]:ufix<7,4>
%seed_pt = select(%t) {axis = j; indices = [0]} : S[]:ufix<6,4>
%word1_pt = select(%t) {axis = j; indices = [1]} : S[]:ufix<6,4>
%word1_angle = select(%g) {axis = j; indices = [1]} : S[]:ufix<6,4>
%word2_pt = select(%t) {axis = j; indices = [2]} : S[]:ufix<6,4>
%word2_angle = select(%g) {axis = j; indices = [2]} : S[]:ufix<6,4>
%daxis_eta_off = add(%jet_eta, %eta_seed) {minus = [1]} : S[]:fix<13,13>
%daxis_eta = wrap(%daxis_eta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_phi_off = add(%jet_phi, %phi_seed) {minus = [1]} : S+0phi%1440[]:fix<12,12>
%daxis_phi = wrap(%daxis_phi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_eta_size = magnitude(%daxis_eta) : S[]:ufix<9,9>
%laxis_eta = log2(%daxis_eta_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%daxis_phi_size = magnitude(%daxis_phi) : S[]:ufix<9,9>
%laxis_phi = log2(%daxis_phi_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%axis = log_add(%laxis_eta, %laxis_phi) {power = 2; frac = 2} : S[]:ufix<6,4>
%score0 = table(%code) {knots = @score0.knots; values = @score0.values; out = ufix<4,4>} : S[j:16]:ufix<4,4>
%sum0 = particle_sum(%score0) : S[]:ufix<8,8>
%score1 = table(%code) {knots = @score1.knots; values = @score1.values; out = ufix<4,4>} : S[j:16]:ufix<4,4>
%sum1 = particle_sum(%score1) : S[]:ufix<8,8>
%score2 = table(%code) {knots = @score2.knots; values = @score2.values; out = ufix<4,4>} : S[j:16]:ufix<4,4>
%sum2 = particle_sum(%score2) : S[]:ufix<8,8>
%score3 = table(%code) {knots = @score3.knots; values = @score3.values; out = ufix<4,4>} : S[j:16]:ufix<4,4>
%sum3 = particle_sum(%score3) : S[]:ufix<8,8>
%f_sum0 = table(%sum0) {knots = @f_sum0.knots; values = @f_sum0.values; out = fix<8,5,RND,SAT>} : S[]:ufix<6,3>
%f_sum1 = table(%sum1) {knots = @f_sum1.knots; values = @f_sum1.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_sum2 = table(%sum2) {knots = @f_sum2.knots; values = @f_sum2.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_sum3 = table(%sum3) {knots = @f_sum3.knots; values = @f_sum3.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_mass = table(%mass) {knots = @f_mass.knots; values = @f_mass.values; out = fix<8,5,RND,SAT>} : S[]:ufix<7,4>
%f_multiplicity = table(%multiplicity) {knots = @f_multiplicity.knots; values = @f_multiplicity.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_seed_pt = table(%seed_pt) {knots = @f_seed_pt.knots; values = @f_seed_pt.values; out = fix<8,5,RND,SAT>} : S[]:fix<6,3>
%f_axis = table(%axis) {knots = @f_axis.knots; values = @f_axis.values; out = fix<8,5,RND,SAT>} : S[]:fix<5,2>
%f_word1_pt = table(%word1_pt) {knots = @f_word1_pt.knots; values = @f_word1_pt.values; out = fix<8,5,RND,SAT>} : S[]:fix<6,3>
%f_word1_angle = table(%word1_angle) {knots = @f_word1_angle.knots; values = @f_word1_angle.values; out = fix<8,5,RND,SAT>} : S[]:fix<4,1>
%f_word2_pt = table(%word2_pt) {knots = @f_word2_pt.knots; values = @f_word2_pt.values; out = fix<8,5,RND,SAT>} : S[]:fix<6,3>
%f_word2_angle = table(%word2_angle) {knots = @f_word2_angle.knots; values = @f_word2_angle.values; out = fix<8,5,RND,SAT>} : S[]:fix<3,0>
%h0_sum0 = table(%sum0) {knots = @h0_sum0.knots; values = @h0_sum0.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_sum1 = table(%sum1) {knots = @h0_sum1.knots; values = @h0_sum1.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_sum2 = table(%sum2) {knots = @h0_sum2.knots; values = @h0_sum2.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_sum3 = table(%sum3) {knots = @h0_sum3.knots; values = @h0_sum3.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_mass = table(%mass) {knots = @h0_mass.knots; values = @h0_mass.values; out = fix<7,4,RND,SAT>} : S[]:fix<6,3>
%h0_multiplicity = table(%multiplicity) {knots = @h0_multiplicity.knots; values = @h0_multiplicity.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_seed_pt = table(%seed_pt) {knots = @h0_seed_pt.knots; values = @h0_seed_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_axis = table(%axis) {knots = @h0_axis.knots; values = @h0_axis.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_word1_pt = table(%word1_pt) {knots = @h0_word1_pt.knots; values = @h0_word1_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_word1_angle = table(%word1_angle) {knots = @h0_word1_angle.knots; values = @h0_word1_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<6,3>
%h0_word2_pt = table(%word2_pt) {knots = @h0_word2_pt.knots; values = @h0_word2_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h0_word2_angle = table(%word2_angle) {knots = @h0_word2_angle.knots; values = @h0_word2_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h0_sum = add(%h0_sum0, %h0_sum1, %h0_sum2, %h0_sum3, %h0_mass, %h0_multiplicity, %h0_seed_pt, %h0_axis, %h0_word1_pt, %h0_word1_angle, %h0_word2_pt, %h0_word2_angle) : S[]:fix<10,7>
%h0 = requantize(%h0_sum) {formats = [fix<7,5,TRN,SAT>]} : S[]:fix<7,5>
%f_h0 = table(%h0) {knots = @f_h0.knots; values = @f_h0.values; out = fix<8,5,RND,SAT>} : S[]:fix<8,5>
%h1_sum0 = table(%sum0) {knots = @h1_sum0.knots; values = @h1_sum0.values; out = fix<7,4,RND,SAT>} : S[]:fix<4,1>
%h1_sum1 = table(%sum1) {knots = @h1_sum1.knots; values = @h1_sum1.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h1_sum2 = table(%sum2) {knots = @h1_sum2.knots; values = @h1_sum2.values; out = fix<7,4,RND,SAT>} : S[]:fix<4,1>
%h1_sum3 = table(%sum3) {knots = @h1_sum3.knots; values = @h1_sum3.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h1_mass = table(%mass) {knots = @h1_mass.knots; values = @h1_mass.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h1_multiplicity = table(%multiplicity) {knots = @h1_multiplicity.knots; values = @h1_multiplicity.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h1_seed_pt = table(%seed_pt) {knots = @h1_seed_pt.knots; values = @h1_seed_pt.values; out = fix<7,4,RND,SAT>} : S[]:ufix<5,2>
%h1_axis = table(%axis) {knots = @h1_axis.knots; values = @h1_axis.values; out = fix<7,4,RND,SAT>} : S[]:ufix<6,3>
%h1_word1_pt = table(%word1_pt) {knots = @h1_word1_pt.knots; values = @h1_word1_pt.values; out = fix<7,4,RND,SAT>} : S[]:ufix<6,3>
%h1_word1_angle = table(%word1_angle) {knots = @h1_word1_angle.knots; values = @h1_word1_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h1_word2_pt = table(%word2_pt) {knots = @h1_word2_pt.knots; values = @h1_word2_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h1_word2_angle = table(%word2_angle) {knots = @h1_word2_angle.knots; values = @h1_word2_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<3,0>
%h1_sum = add(%h1_sum0, %h1_sum1, %h1_sum2, %h1_sum3, %h1_mass, %h1_multiplicity, %h1_seed_pt, %h1_axis, %h1_word1_pt, %h1_word1_angle, %h1_word2_pt, %h1_word2_angle) : S[]:fix<9,6>
%h1 = requantize(%h1_sum) {formats = [fix<7,5,TRN,SAT>]} : S[]:fix<7,5>
%f_h1 = table(%h1) {knots = @f_h1.knots; values = @f_h1.values; out = fix<8,5,RND,SAT>} : S[]:fix<8,5>
%h2_sum0 = table(%sum0) {knots = @h2_sum0.knots; values = @h2_sum0.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h2_sum1 = table(%sum1) {knots = @h2_sum1.knots; values = @h2_sum1.values; out = fix<7,4,RND,SAT>} : S[]:fix<4,1>
%h2_sum2 = table(%sum2) {knots = @h2_sum2.knots; values = @h2_sum2.values; out = fix<7,4,RND,SAT>} : S[]:ufix<6,3>
%h2_sum3 = table(%sum3) {knots = @h2_sum3.knots; values = @h2_sum3.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h2_mass = table(%mass) {knots = @h2_mass.knots; values = @h2_mass.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h2_multiplicity = table(%multiplicity) {knots = @h2_multiplicity.knots; values = @h2_multiplicity.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h2_seed_pt = table(%seed_pt) {knots = @h2_seed_pt.knots; values = @h2_seed_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h2_axis = table(%axis) {knots = @h2_axis.knots; values = @h2_axis.values; out = fix<7,4,RND,SAT>} : S[]:ufix<4,1>
%h2_word1_pt = table(%word1_pt) {knots = @h2_word1_pt.knots; values = @h2_word1_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<6,3>
%h2_word1_angle = table(%word1_angle) {knots = @h2_word1_angle.knots; values = @h2_word1_angle.values; out = fix<7,4,RND,SAT>} : S[]:ufix<5,2>
%h2_word2_pt = table(%word2_pt) {knots = @h2_word2_pt.knots; values = @h2_word2_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<5,2>
%h2_word2_angle = table(%word2_angle) {knots = @h2_word2_angle.knots; values = @h2_word2_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<4,1>
%h2_sum = add(%h2_sum0, %h2_sum1, %h2_sum2, %h2_sum3, %h2_mass, %h2_multiplicity, %h2_seed_pt, %h2_axis, %h2_word1_pt, %h2_word1_angle, %h2_word2_pt, %h2_word2_angle) : S[]:fix<9,6>
%h2 = requantize(%h2_sum) {formats = [fix<7,5,TRN,SAT>]} : S[]:fix<7,5>
%f_h2 = table(%h2) {knots = @f_h2.knots; values = @f_h2.values; out = fix<8,5,RND,SAT>} : S[]:fix<8,5>
%h3_sum0 = table(%sum0) {knots = @h3_sum0.knots; values = @h3_sum0.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_sum1 = table(%sum1) {knots = @h3_sum1.knots; values = @h3_sum1.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_sum2 = table(%sum2) {knots = @h3_sum2.knots; values = @h3_sum2.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_sum3 = table(%sum3) {knots = @h3_sum3.knots; values = @h3_sum3.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_mass = table(%mass) {knots = @h3_mass.knots; values = @h3_mass.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_multiplicity = table(%multiplicity) {knots = @h3_multiplicity.knots; values = @h3_multiplicity.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_seed_pt = table(%seed_pt) {knots = @h3_seed_pt.knots; values = @h3_seed_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_axis = table(%axis) {knots = @h3_axis.knots; values = @h3_axis.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_word1_pt = table(%word1_pt) {knots = @h3_word1_pt.knots; values = @h3_word1_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_word1_angle = table(%word1_angle) {knots = @h3_word1_angle.knots; values = @h3_word1_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_word2_pt = table(%word2_pt) {knots = @h3_word2_pt.knots; values = @h3_word2_pt.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_word2_angle = table(%word2_angle) {knots = @h3_word2_angle.knots; values = @h3_word2_angle.values; out = fix<7,4,RND,SAT>} : S[]:fix<7,4>
%h3_sum = add(%h3_sum0, %h3_sum1, %h3_sum2, %h3_sum3, %h3_mass, %h3_multiplicity, %h3_seed_pt, %h3_axis, %h3_word1_pt, %h3_word1_angle, %h3_word2_pt, %h3_word2_angle) : S[]:fix<11,8>
%h3 = requantize(%h3_sum) {formats = [fix<7,5,TRN,SAT>]} : S[]:fix<7,5>
%f_h3 = table(%h3) {knots = @f_h3.knots; values = @f_h3.values; out = fix<8,5,RND,SAT>} : S[]:ufix<3,0>
%logit = add(%f_sum0, %f_sum1, %f_sum2, %f_sum3, %f_mass, %f_multiplicity, %f_seed_pt, %f_axis, %f_word1_pt, %f_word1_angle, %f_word2_pt, %f_word2_angle, %f_h0, %f_h1, %f_h2, %f_h3) : S[]:fix<11,8>
output %logit

graph tag16_small
%pt = input() {type = S[j:12]:ufix<14,12>} : S[j:12]:ufix<14,12>
%eta = input() {type = S+eta[j:12]:fix<12,12>} : S+eta[j:12]:fix<12,12>
%phi = input() {type = S+phi%1440[j:12]:fix<11,11>} : S+phi%1440[j:12]:fix<11,11>
%jet_mass2 = input() {type = S[]:ufix<18,18>} : S[]:ufix<18,18>
%multiplicity = input() {type = S[]:ufix<7,7>} : S[]:ufix<7,7>
%jet_eta = input() {type = S+eta[]:fix<12,12>} : S+eta[]:fix<12,12>
%jet_phi = input() {type = S+phi%1440[]:fix<11,11>} : S+phi%1440[]:fix<11,11>
%eta_seed = select(%eta) {axis = j; indices = [0]} : S+eta[]:fix<12,12>
%deta_off = add(%eta, %eta_seed) {minus = [1]} : S[j:12]:fix<13,13>
%deta = wrap(%deta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[j:12]:fix<9,9>
%phi_seed = select(%phi) {axis = j; indices = [0]} : S+phi%1440[]:fix<11,11>
%dphi_off = add(%phi, %phi_seed) {minus = [1]} : S+0phi%1440[j:12]:fix<12,12>
%dphi = wrap(%dphi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[j:12]:fix<9,9>
%deta_size = magnitude(%deta) : S[j:12]:ufix<9,9>
%leta = log2(%deta_size) {codes = 33; centred = true} : S[j:12]:ufix<6,4>
%dphi_size = magnitude(%dphi) : S[j:12]:ufix<9,9>
%lphi = log2(%dphi_size) {codes = 33; centred = true} : S[j:12]:ufix<6,4>
%g = log_add(%leta, %lphi) {power = 2; frac = 2} : S[j:12]:ufix<6,4>
%t = log2(%pt) {codes = 41; centred = true} : S[j:12]:ufix<6,4>
%g_code = table(%g) {knots = @g_code.knots; values = @g_code.values; out = ufix<8,8>} : S[j:12]:ufix<8,8>
%t_code = table(%t) {knots = @t_code.knots; values = @t_code.values; out = ufix<4,4>} : S[j:12]:ufix<4,4>
%code = add(%g_code, %t_code) : S[j:12]:ufix<8,8>
%mass = log2(%jet_mass2) {floor = 256.0; frac = 3; codes = 81; window = 7} : S[]:ufix<7,4>
%seed_pt = select(%t) {axis = j; indices = [0]} : S[]:ufix<6,4>
%daxis_eta_off = add(%jet_eta, %eta_seed) {minus = [1]} : S[]:fix<13,13>
%daxis_eta = wrap(%daxis_eta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_phi_off = add(%jet_phi, %phi_seed) {minus = [1]} : S+0phi%1440[]:fix<12,12>
%daxis_phi = wrap(%daxis_phi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_eta_size = magnitude(%daxis_eta) : S[]:ufix<9,9>
%laxis_eta = log2(%daxis_eta_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%daxis_phi_size = magnitude(%daxis_phi) : S[]:ufix<9,9>
%laxis_phi = log2(%daxis_phi_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%axis = log_add(%laxis_eta, %laxis_phi) {power = 2; frac = 2} : S[]:ufix<6,4>
%score0 = table(%code) {knots = @score0.knots; values = @score0.values; out = ufix<4,4>} : S[j:12]:ufix<4,4>
%sum0 = particle_sum(%score0) : S[]:ufix<8,8>
%score1 = table(%code) {knots = @score1.knots; values = @score1.values; out = ufix<4,4>} : S[j:12]:ufix<4,4>
%sum1 = particle_sum(%score1) : S[]:ufix<8,8>
%f_sum0 = table(%sum0) {knots = @f_sum0.knots; values = @f_sum0.values; out = fix<8,5,RND,SAT>} : S[]:fix<8,5>
%f_sum1 = table(%sum1) {knots = @f_sum1.knots; values = @f_sum1.values; out = fix<8,5,RND,SAT>} : S[]:fix<5,2>
%f_mass = table(%mass) {knots = @f_mass.knots; values = @f_mass.values; out = fix<8,5,RND,SAT>} : S[]:fix<8,5>
%f_multiplicity = table(%multiplicity) {knots = @f_multiplicity.knots; values = @f_multiplicity.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_seed_pt = table(%seed_pt) {knots = @f_seed_pt.knots; values = @f_seed_pt.values; out = fix<8,5,RND,SAT>} : S[]:fix<7,4>
%f_axis = table(%axis) {knots = @f_axis.knots; values = @f_axis.values; out = fix<8,5,RND,SAT>} : S[]:fix<6,3>
%logit = add(%f_sum0, %f_sum1, %f_mass, %f_multiplicity, %f_seed_pt, %f_axis) : S[]:fix<10,7>
output %logit

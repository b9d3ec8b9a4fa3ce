graph tag5_ports
%pt = input() {type = S[j:20]:ufix<14,12>} : S[j:20]:ufix<14,12>
%eta = input() {type = S+eta[j:20]:fix<12,12>} : S+eta[j:20]:fix<12,12>
%phi = input() {type = S+phi%1440[j:20]:fix<11,11>} : S+phi%1440[j:20]:fix<11,11>
%jet_eta = input() {type = S+eta[]:fix<12,12>} : S+eta[]:fix<12,12>
%jet_phi = input() {type = S+phi%1440[]:fix<11,11>} : S+phi%1440[]:fix<11,11>
%jet_mass2 = input() {type = S[]:ufix<18,18>} : S[]:ufix<18,18>
%multiplicity = input() {type = S[]:ufix<7,7>} : S[]:ufix<7,7>
%eta_seed = select(%eta) {axis = j; indices = [0]} : S+eta[]:fix<12,12>
%deta_off = add(%eta, %eta_seed) {minus = [1]} : S[j:20]:fix<13,13>
%deta = wrap(%deta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[j:20]:fix<9,9>
%phi_seed = select(%phi) {axis = j; indices = [0]} : S+phi%1440[]:fix<11,11>
%dphi_off = add(%phi, %phi_seed) {minus = [1]} : S+0phi%1440[j:20]:fix<12,12>
%dphi = wrap(%dphi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[j:20]:fix<9,9>
%deta_size = magnitude(%deta) : S[j:20]:ufix<9,9>
%leta = log2(%deta_size) {frac = 3; codes = 65; window = 7; centred = true} : S[j:20]:ufix<7,4>
%dphi_size = magnitude(%dphi) : S[j:20]:ufix<9,9>
%lphi = log2(%dphi_size) {frac = 3; codes = 65; window = 7; centred = true} : S[j:20]:ufix<7,4>
%g = log_add(%leta, %lphi) {power = 2; frac = 3} : S[j:20]:ufix<7,4>
%t = log2(%pt) {frac = 3; codes = 81; window = 7; centred = true} : S[j:20]:ufix<7,4>
%p0 = requantize(%pt) {formats = [ufix<10,10,TRN,SAT>]} : S[j:20]:ufix<10,10>
%g2 = add(%g, %g) : S[j:20]:ufix<8,5>
%q_log = add(%t, %g2) : S[j:20]:ufix<8,5>
%p2 = exp2(%q_log) {shift = -16; out = ufix<9,4,RND,SAT>; mantissa = 9} : S[j:20]:ufix<9,4>
%py_log = add(%t, %lphi) : S[j:20]:ufix<8,5>
%py_size = exp2(%py_log) {shift = -8; out = ufix<10,8,RND,SAT>; mantissa = 9} : S[j:20]:ufix<10,8>
%py = sign_select(%py_size, %dphi) : S[j:20]:fix<11,9>
%pz_log = add(%t, %leta) : S[j:20]:ufix<8,5>
%pz_size = exp2(%pz_log) {shift = -8; out = ufix<10,8,RND,SAT>; mantissa = 9} : S[j:20]:ufix<10,8>
%pz = sign_select(%pz_size, %deta) : S[j:20]:fix<11,9>
%t_gate = requantize(%t) {formats = [ufix<6,4,RND,SAT>]} : S[j:20]:ufix<6,4>
%g_gate = requantize(%g) {formats = [ufix<6,4,RND,SAT>]} : S[j:20]:ufix<6,4>
%mass = log2(%jet_mass2) {floor = 64.0; frac = 4; codes = 192} : S[]:ufix<8,4>
%seed_pt = select(%t_gate) {axis = j; indices = [0]} : S[]:ufix<6,4>
%daxis_eta_off = add(%jet_eta, %eta_seed) {minus = [1]} : S[]:fix<13,13>
%daxis_eta = wrap(%daxis_eta_off) {modulus = 1024; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_phi_off = add(%jet_phi, %phi_seed) {minus = [1]} : S+0phi%1440[]:fix<12,12>
%daxis_phi = wrap(%daxis_phi_off) {modulus = 1440; step = 32; out = fix<9,9>} : S[]:fix<9,9>
%daxis_eta_size = magnitude(%daxis_eta) : S[]:ufix<9,9>
%laxis_eta = log2(%daxis_eta_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%daxis_phi_size = magnitude(%daxis_phi) : S[]:ufix<9,9>
%laxis_phi = log2(%daxis_phi_size) {codes = 33; centred = true} : S[]:ufix<6,4>
%axis = log_add(%laxis_eta, %laxis_phi) {power = 2; frac = 2} : S[]:ufix<6,4>
%edge0 = table(%g_gate) {knots = @edge0.knots; values = @edge0.values; out = fix<5,3,RND,SAT>} : S[j:20]:fix<5,3>
%drop0 = table(%t_gate) {knots = @drop0.knots; values = @drop0.values; out = fix<6,4,RND,SAT>} : S[j:20]:fix<6,4>
%z0 = add(%edge0, %drop0) : S[j:20]:fix<7,5>
%in0 = table(%z0) {activation = sigmoid; out = ufix<3,1>; levels = @in0.levels} : S[j:20]:ufix<3,1>
%p0_in0 = cg_product(%p0, %in0) {path = S*S->S} : S[j:20]:ufix<12,10>
%p0_sum0 = particle_sum(%p0_in0) : S[]:ufix<17,15>
%p0_0 = requantize(%p0_sum0) {formats = [ufix<11,12,RND,SAT>]} : S[]:ufix<11,12>
%p2_in0 = cg_product(%p2, %in0) {path = S*S->S} : S[j:20]:ufix<11,4>
%p2_sum0 = particle_sum(%p2_in0) : S[]:ufix<16,9>
%p2_0 = requantize(%p2_sum0) {formats = [ufix<12,7,RND,SAT>]} : S[]:ufix<12,7>
%py_in0 = cg_product(%py, %in0) {path = S*S->S} : S[j:20]:fix<13,9>
%py_sum0 = particle_sum(%py_in0) : S[]:fix<18,14>
%py_0 = requantize(%py_sum0) {formats = [fix<12,10,RND,SAT>]} : S[]:fix<12,10>
%pz_in0 = cg_product(%pz, %in0) {path = S*S->S} : S[j:20]:fix<13,9>
%pz_sum0 = particle_sum(%pz_in0) : S[]:fix<18,14>
%pz_0 = requantize(%pz_sum0) {formats = [fix<12,10,RND,SAT>]} : S[]:fix<12,10>
%p0p2_0 = cg_product(%p0_0, %p2_0) {path = S*S->S} : S[]:ufix<23,19>
%pypy_0 = cg_product(%py_0, %py_0) {path = S*S->S} : S[]:ufix<23,19>
%pzpz_0 = cg_product(%pz_0, %pz_0) {path = S*S->S} : S[]:ufix<23,19>
%mass2_0 = add(%p0p2_0, %pypy_0, %pzpz_0) {minus = [1, 2]} : S[]:fix<24,20>
%vv0 = log2(%mass2_0) {floor = 2.0; frac = 3; codes = 128} : S[]:ufix<7,4>
%sv0 = log2(%p2_0) {floor = 0.03125; frac = 3; codes = 96} : S[]:ufix<7,4>
%pv0 = log2(%p0_0) {floor = 8.0; frac = 3} : S[]:ufix<6,3>
%edge1 = table(%g_gate) {knots = @edge1.knots; values = @edge1.values; out = fix<5,3,RND,SAT>} : S[j:20]:fix<5,3>
%drop1 = table(%t_gate) {knots = @drop1.knots; values = @drop1.values; out = fix<6,4,RND,SAT>} : S[j:20]:fix<6,4>
%z1 = add(%edge1, %drop1) : S[j:20]:fix<7,5>
%in1 = table(%z1) {activation = sigmoid; out = ufix<3,1>; levels = @in1.levels} : S[j:20]:ufix<3,1>
%p0_in1 = cg_product(%p0, %in1) {path = S*S->S} : S[j:20]:ufix<12,10>
%p0_sum1 = particle_sum(%p0_in1) : S[]:ufix<17,15>
%p0_1 = requantize(%p0_sum1) {formats = [ufix<11,12,RND,SAT>]} : S[]:ufix<11,12>
%p2_in1 = cg_product(%p2, %in1) {path = S*S->S} : S[j:20]:ufix<11,4>
%p2_sum1 = particle_sum(%p2_in1) : S[]:ufix<16,9>
%p2_1 = requantize(%p2_sum1) {formats = [ufix<12,7,RND,SAT>]} : S[]:ufix<12,7>
%py_in1 = cg_product(%py, %in1) {path = S*S->S} : S[j:20]:fix<13,9>
%py_sum1 = particle_sum(%py_in1) : S[]:fix<18,14>
%py_1 = requantize(%py_sum1) {formats = [fix<12,10,RND,SAT>]} : S[]:fix<12,10>
%pz_in1 = cg_product(%pz, %in1) {path = S*S->S} : S[j:20]:fix<13,9>
%pz_sum1 = particle_sum(%pz_in1) : S[]:fix<18,14>
%pz_1 = requantize(%pz_sum1) {formats = [fix<12,10,RND,SAT>]} : S[]:fix<12,10>
%p0p2_1 = cg_product(%p0_1, %p2_1) {path = S*S->S} : S[]:ufix<23,19>
%pypy_1 = cg_product(%py_1, %py_1) {path = S*S->S} : S[]:ufix<23,19>
%pzpz_1 = cg_product(%pz_1, %pz_1) {path = S*S->S} : S[]:ufix<23,19>
%mass2_1 = add(%p0p2_1, %pypy_1, %pzpz_1) {minus = [1, 2]} : S[]:fix<24,20>
%vv1 = log2(%mass2_1) {floor = 2.0; frac = 3; codes = 128} : S[]:ufix<7,4>
%sv1 = log2(%p2_1) {floor = 0.03125; frac = 3; codes = 96} : S[]:ufix<7,4>
%pv1 = log2(%p0_1) {floor = 8.0; frac = 3} : S[]:ufix<6,3>
%no_h = spurion() {type = S[h:8]; values = @no_h.values} : S[h:8]:ufix<1,1>
%no_c = spurion() {type = S[c:1]; values = @no_c.values} : S[c:1]:ufix<1,1>
%vv0_h = add(%vv0, %no_h) : S[h:8]:ufix<7,4>
%of_vv0 = table(%vv0_h) {knots = @of_vv0.knots; values = @of_vv0.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%sv0_h = add(%sv0, %no_h) : S[h:8]:ufix<7,4>
%of_sv0 = table(%sv0_h) {knots = @of_sv0.knots; values = @of_sv0.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%pv0_h = add(%pv0, %no_h) : S[h:8]:ufix<6,3>
%of_pv0 = table(%pv0_h) {knots = @of_pv0.knots; values = @of_pv0.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%vv1_h = add(%vv1, %no_h) : S[h:8]:ufix<7,4>
%of_vv1 = table(%vv1_h) {knots = @of_vv1.knots; values = @of_vv1.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%sv1_h = add(%sv1, %no_h) : S[h:8]:ufix<7,4>
%of_sv1 = table(%sv1_h) {knots = @of_sv1.knots; values = @of_sv1.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%pv1_h = add(%pv1, %no_h) : S[h:8]:ufix<6,3>
%of_pv1 = table(%pv1_h) {knots = @of_pv1.knots; values = @of_pv1.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%mass_h = add(%mass, %no_h) : S[h:8]:ufix<8,4>
%of_mass = table(%mass_h) {knots = @of_mass.knots; values = @of_mass.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%multiplicity_h = add(%multiplicity, %no_h) : S[h:8]:ufix<7,7>
%of_multiplicity = table(%multiplicity_h) {knots = @of_multiplicity.knots; values = @of_multiplicity.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%seed_pt_h = add(%seed_pt, %no_h) : S[h:8]:ufix<6,4>
%of_seed_pt = table(%seed_pt_h) {knots = @of_seed_pt.knots; values = @of_seed_pt.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%axis_h = add(%axis, %no_h) : S[h:8]:ufix<6,4>
%of_axis = table(%axis_h) {knots = @of_axis.knots; values = @of_axis.values; axis = h; out = fix<6,3,RND,SAT>} : S[h:8]:fix<6,3>
%hidden_sum = add(%of_vv0, %of_sv0, %of_pv0, %of_vv1, %of_sv1, %of_pv1, %of_mass, %of_multiplicity, %of_seed_pt, %of_axis) : S[h:8]:fix<10,7>
%hidden = requantize(%hidden_sum) {formats = [fix<7,4,RND,SAT>]} : S[h:8]:fix<7,4>
%to_q = table(%hidden) {knots = @to_q.knots; values = @to_q.values; axis = h; out = fix<8,5,RND,SAT>} : S[h:8]:fix<7,4>
%logit_q = particle_sum(%to_q) {axis = h} : S[]:fix<9,6>
%to_g = table(%hidden) {knots = @to_g.knots; values = @to_g.values; axis = h; out = fix<8,5,RND,SAT>} : S[h:8]:fix<7,4>
%logit_g = particle_sum(%to_g) {axis = h} : S[]:fix<9,6>
%to_W = table(%hidden) {knots = @to_W.knots; values = @to_W.values; axis = h; out = fix<8,5,RND,SAT>} : S[h:8]:fix<7,4>
%logit_W = particle_sum(%to_W) {axis = h} : S[]:fix<8,5>
%to_Z = table(%hidden) {knots = @to_Z.knots; values = @to_Z.values; axis = h; out = fix<8,5,RND,SAT>} : S[h:8]:fix<8,5>
%logit_Z = particle_sum(%to_Z) {axis = h} : S[]:fix<9,6>
%to_t = table(%hidden) {knots = @to_t.knots; values = @to_t.values; axis = h; out = fix<8,5,RND,SAT>} : S[h:8]:fix<8,5>
%logit_t = particle_sum(%to_t) {axis = h} : S[]:fix<10,7>
%in_q = requantize(%logit_q) {formats = [fix<8,5,RND,SAT>]} : S[]:fix<8,5>
%in_g = requantize(%logit_g) {formats = [fix<8,5,RND,SAT>]} : S[]:fix<8,5>
%in_W = requantize(%logit_W) {formats = [fix<8,5,RND,SAT>]} : S[]:fix<8,5>
%in_Z = requantize(%logit_Z) {formats = [fix<8,5,RND,SAT>]} : S[]:fix<8,5>
%in_t = requantize(%logit_t) {formats = [fix<8,5,RND,SAT>]} : S[]:fix<8,5>
%sum_in_q_in_g = log_add(%in_q, %in_g) {power = 1; frac = 3} : S[]:fix<9,6>
%sum_in_W_in_Z = log_add(%in_W, %in_Z) {power = 1; frac = 3} : S[]:fix<8,5>
%sum_sum_in_q_in_g_sum_in_W_in_Z = log_add(%sum_in_q_in_g, %sum_in_W_in_Z) {power = 1; frac = 3} : S[]:fix<9,6>
%sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t = log_add(%sum_sum_in_q_in_g_sum_in_W_in_Z, %in_t) {power = 1; frac = 3} : S[]:fix<9,6>
%log_p_q = add(%in_q, %sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t) {minus = [1]} : S[]:fix<9,6>
%log_p_g = add(%in_g, %sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t) {minus = [1]} : S[]:fix<9,6>
%log_p_W = add(%in_W, %sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t) {minus = [1]} : S[]:fix<10,7>
%log_p_Z = add(%in_Z, %sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t) {minus = [1]} : S[]:fix<10,7>
%log_p_t = add(%in_t, %sum_sum_sum_in_q_in_g_sum_in_W_in_Z_in_t) {minus = [1]} : S[]:fix<10,7>
%log_p_q_c = add(%log_p_q, %no_c) : S[c:1]:fix<9,6>
%log_p_g_c = add(%log_p_g, %no_c) : S[c:1]:fix<9,6>
%log_p_W_c = add(%log_p_W, %no_c) : S[c:1]:fix<10,7>
%log_p_Z_c = add(%log_p_Z, %no_c) : S[c:1]:fix<10,7>
%log_p_t_c = add(%log_p_t, %no_c) : S[c:1]:fix<10,7>
%logits = concat(%log_p_q_c, %log_p_g_c, %log_p_W_c, %log_p_Z_c, %log_p_t_c) {axis = c} : S[c:5]:fix<10,7>
output %logits

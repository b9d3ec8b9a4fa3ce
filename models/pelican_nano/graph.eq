graph pelican_nano
%p = input() {type = V.lc[j:16]:ufix<7,10>|ufix<5,4>|fix<6,7>|fix<6,7>} : V.lc[j:16]:ufix<7,10>|ufix<5,4>|fix<6,7>|fix<6,7>
%particles = rename(%p) {axis = j; to = i} : V.lc[i:16]:ufix<7,10>|ufix<5,4>|fix<6,7>|fix<6,7>
%jet = input() {type = V.lc[i:1]:ufix<8,11>|ufix<8,7>|fix<6,7>|fix<6,7>} : V.lc[i:1]:ufix<8,11>|ufix<8,7>|fix<6,7>|fix<6,7>
%beams = spurion() {type = V.lc[i:2]; values = @beams.values} : V.lc[i:2]:ufix<1,4>|ufix<1,4>|ufix<1,1>|fix<2,5>
%nodes = concat(%particles, %jet, %beams) {axis = i} : V.lc[i:19]:ufix<8,11>|ufix<8,7>|fix<7,7>|fix<6,7>
%gram = gram(%nodes) : S[p:190]:fix<20,19>
%log = log2(%gram) {floor = 0.25; frac = 1; codes = 48; step = 5} : S[p:190]:ufix<6,5>
%take_self = select(%log) {axis = p; indices = [0, 19, 37, 54, 70, 85, 99, 112, 124, 135, 145, 154, 162, 169, 175, 180]; to = p} : S[p:16]:ufix<6,5>
%unit = spurion() {type = S[c:1]; values = @unit.values} : S[c:1]:ufix<1,1>
%take_pair = select(%log) {axis = p; indices = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 100, 101, 102, 103, 104, 105, 106, 107, 108, 113, 114, 115, 116, 117, 118, 119, 120, 125, 126, 127, 128, 129, 130, 131, 136, 137, 138, 139, 140, 141, 146, 147, 148, 149, 150, 155, 156, 157, 158, 163, 164, 165, 170, 171, 176]; to = p} : S[p:120]:ufix<6,5>
%take_jet = select(%log) {axis = p; indices = [16, 34, 51, 67, 82, 96, 109, 121, 132, 142, 151, 159, 166, 172, 177, 181]; to = p} : S[p:16]:ufix<6,5>
%take_beam = select(%log) {axis = p; indices = [17, 18, 35, 36, 52, 53, 68, 69, 83, 84, 97, 98, 110, 111, 122, 123, 133, 134, 143, 144, 152, 153, 160, 161, 167, 168, 173, 174, 178, 179, 182, 183]; to = p} : S[p:32]:ufix<5,4>
%take_mass = select(%log) {axis = p; indices = [184]; to = p} : S[p:1]:ufix<6,5>
%take_fixed = select(%log) {axis = p; indices = [185, 186, 187, 188, 189]; to = p} : S[p:5]:ufix<6,5>
%valid = input() {type = S[j:16]:ufix<1,1>} : S[j:16]:ufix<1,1>
%open_self = cg_product(%take_self, %unit) {path = S*S->S} : S[p:16, c:1]:ufix<6,5>
%open_pair = cg_product(%take_pair, %unit) {path = S*S->S} : S[p:120, c:1]:ufix<6,5>
%open_jet = cg_product(%take_jet, %unit) {path = S*S->S} : S[p:16, c:1]:ufix<6,5>
%open_beam = cg_product(%take_beam, %unit) {path = S*S->S} : S[p:32, c:1]:ufix<5,4>
%open_mass = cg_product(%take_mass, %unit) {path = S*S->S} : S[p:1, c:1]:ufix<6,5>
%open_fixed = cg_product(%take_fixed, %unit) {path = S*S->S} : S[p:5, c:1]:ufix<6,5>
%valid_particles = rename(%valid) {axis = j; to = i} : S[i:16]:ufix<1,1>
%always = spurion() {type = S[i:3]; values = @always.values} : S[i:3]:ufix<1,1>
%encode_self = table(%open_self) {knots = @encode_self.knots; values = @encode_self.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:16, c:1]:fix<5,3>
%encode_pair = table(%open_pair) {knots = @encode_pair.knots; values = @encode_pair.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:120, c:1]:fix<5,3>
%encode_jet = table(%open_jet) {knots = @encode_jet.knots; values = @encode_jet.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:16, c:1]:fix<5,3>
%encode_beam = table(%open_beam) {knots = @encode_beam.knots; values = @encode_beam.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:32, c:1]:fix<5,3>
%encode_mass = table(%open_mass) {knots = @encode_mass.knots; values = @encode_mass.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:1, c:1]:fix<5,3>
%encode_fixed = table(%open_fixed) {knots = @encode_fixed.knots; values = @encode_fixed.values; axis = c; out = fix<5,3,RND,SAT>} : S[p:5, c:1]:fix<5,3>
%flags = concat(%valid_particles, %always) {axis = i} : S[i:19]:ufix<1,1>
%kinds = concat(%encode_self, %encode_pair, %encode_jet, %encode_beam, %encode_mass, %encode_fixed) {axis = p} : S[p:190, c:1]:fix<5,3>
%flag_left = select(%flags) {axis = i; indices = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 17, 17, 18]; to = p} : S[p:190]:ufix<1,1>
%flag_right = select(%flags) {axis = i; indices = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 10, 11, 12, 13, 14, 15, 16, 17, 18, 11, 12, 13, 14, 15, 16, 17, 18, 12, 13, 14, 15, 16, 17, 18, 13, 14, 15, 16, 17, 18, 14, 15, 16, 17, 18, 15, 16, 17, 18, 16, 17, 18, 17, 18, 18]; to = p} : S[p:190]:ufix<1,1>
%ordered = select(%kinds) {axis = p; indices = [0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 136, 152, 153, 1, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 137, 154, 155, 2, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 138, 156, 157, 3, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 139, 158, 159, 4, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 140, 160, 161, 5, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 141, 162, 163, 6, 91, 92, 93, 94, 95, 96, 97, 98, 99, 142, 164, 165, 7, 100, 101, 102, 103, 104, 105, 106, 107, 143, 166, 167, 8, 108, 109, 110, 111, 112, 113, 114, 144, 168, 169, 9, 115, 116, 117, 118, 119, 120, 145, 170, 171, 10, 121, 122, 123, 124, 125, 146, 172, 173, 11, 126, 127, 128, 129, 147, 174, 175, 12, 130, 131, 132, 148, 176, 177, 13, 133, 134, 149, 178, 179, 14, 135, 150, 180, 181, 15, 151, 182, 183, 184, 185, 186, 187, 188, 189]; to = p} : S[p:190, c:1]:fix<5,3>
%flag_pairs = mask(%flag_left, %flag_right) : S[p:190]:ufix<1,1>
%encoded = mask(%ordered, %flag_pairs) : S[p:190, c:1]:fix<5,3>
%eq0 = eq2to2_symmetric(%encoded) {weight = @eq0.weight; bias = @eq0.bias; diagonal = @eq0.diagonal; keep = 2} : S[p:190, c:2]:fix<10,7>
%address0 = requantize(%eq0) {formats = [fix<6,4,RND,SAT>]} : S[p:190, c:2]:fix<6,4>
%function0 = table(%address0) {knots = @function0.knots; values = @function0.values; axis = c; out = fix<4,2,RND,SAT>} : S[p:190, c:2]:fix<4,2>
%hidden0 = mask(%function0, %flag_pairs) : S[p:190, c:2]:fix<4,2>
%pool = eq2to0(%hidden0) {weight = @pool.weight; bias = @pool.bias} : S[c:1]:fix<18,5>
%address_read = requantize(%pool) {formats = [fix<6,4,RND,SAT>]} : S[c:1]:fix<6,4>
%mass = select(%log) {axis = p; indices = [184]; to = m} : S[m:1]:ufix<6,5>
%function_read = table(%address_read) {knots = @function_read.knots; values = @function_read.values; axis = c; out = fix<9,6,RND,SAT>} : S[c:1]:fix<8,5>
%mass_read = table(%mass) {knots = @mass_read.knots; values = @mass_read.values; out = fix<9,6,RND,SAT>} : S[m:1]:fix<7,4>
%read_sum = particle_sum(%function_read) {axis = c} : S[]:fix<8,5>
%mass_sum = particle_sum(%mass_read) {axis = m} : S[]:fix<7,4>
%logit = add(%read_sum, %mass_sum) : S[]:fix<8,5>
output %logit
